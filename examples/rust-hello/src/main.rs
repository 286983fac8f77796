// SPDX-License-Identifier: Apache-2.0
//! Each line that this prints comes through another kind of dependency: a runtime with threads and a procedural macro (tokio),
//! a query builder with a C library behind it (diesel, libpq), two bindings to C libraries (lz4-sys, mimalloc).

use std::ffi::CString;
use std::time::Duration;

use diesel::prelude::*;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

diesel::table! {
    parcels (id) {
        id -> Integer,
        address -> Text,
    }
}

/// The text of a query, as it would be sent to a server.
fn query(address: &str) -> String {
    let wanted = parcels::table.filter(parcels::address.eq(address)).select(parcels::id);

    diesel::debug_query::<diesel::pg::Pg, _>(&wanted).to_string()
}

/// Bytes after compression, and whether they came back as they were.
fn compress(text: &[u8]) -> (usize, bool) {
    let length = text.len() as i32;

    // Safety: every buffer is as long as the length beside it says.
    unsafe {
        let mut packed = vec![0u8; lz4_sys::LZ4_compressBound(length) as usize];
        let n = lz4_sys::LZ4_compress_default(
            text.as_ptr().cast(),
            packed.as_mut_ptr().cast(),
            length,
            packed.len() as i32,
        );
        let mut back = vec![0u8; text.len()];
        let m = lz4_sys::LZ4_decompress_safe(packed.as_ptr().cast(), back.as_mut_ptr().cast(), n, length);

        (n as usize, m == length && back == text)
    }
}

/// What libpq says where there is no server: nothing listens at a socket in a directory that does not exist.
fn connect() -> String {
    match diesel::PgConnection::establish("host=/nonexistent dbname=parcels") {
        Ok(_) => "connected".to_string(),
        Err(e) => e.to_string().lines().next().unwrap_or("").to_string(),
    }
}

fn libpq_version() -> i32 {
    // Safety: takes nothing, reads a constant.
    unsafe { pq_sys::PQlibVersion() }
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let text = "parcel ".repeat(1000);
    let task = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(5)).await;
        compress(text.as_bytes())
    });
    let (bytes, same) = task.await.expect("the task ends");

    println!("hello from {}-{}", std::env::consts::OS, std::env::consts::ARCH);
    println!("lz4: 7000 bytes in {bytes}, the same again: {same}");
    println!("diesel: {}", query("1 Main Street"));
    println!("libpq {}: {}", libpq_version(), connect());
    println!("mimalloc: {:?}", CString::new("allocated").expect("no NUL in it"));
}

#[cfg(test)]
mod tests {
    #[test]
    fn round_trip() {
        assert_eq!(super::compress(&[7; 4096]).1, true);
    }

    #[test]
    fn text_of_a_query() {
        assert!(super::query("x").starts_with("SELECT \"parcels\".\"id\" FROM \"parcels\" WHERE"));
    }
}
