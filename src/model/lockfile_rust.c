/* SPDX-License-Identifier: Apache-2.0 */
/* The part of a lock that says which Rust builds, with which crates. */
#include <string.h>

#include "lockfile_read.h"
#include "xbuild/base/alloc.h"
#include "xbuild/model/names.h"
#include "xbuild/model/target.h"

/* Debian's name of what a list is for, or NULL: nothing that xbuild knows. */
typedef const char *arch_fn(const char *name);

static const char *arch_of_host(const char *host)
{
	return xb_host_find(xb_sv(host)) ? xb_host_debian_arch(host) : NULL;
}

static const char *arch_of_target(const char *name)
{
	const struct xb_target *target = xb_target_find(xb_sv(name));

	return target && strcmp(target->name, name) == 0 ? target->debian_arch : NULL;
}

/* Crates are taken from the packages of one architecture, whose name the list has. */
static const char *arch_itself(const char *name)
{
	return xb_name_is_suite(xb_sv(name)) ? name : NULL;
}

static int read_lists(struct lock_parser *p, const json_t *rust, const char *key, arch_fn *arch_of,
		      struct xb_lock_rust_list **out, size_t *out_len)
{
	const json_t *object = json_object_get(rust, key);
	char *where XB_CLEANUP(xb_free_ptr) = xb_printf("rust.%s", key);
	const struct lock_member m = {object, where};
	struct xb_lock_rust_list *lists;
	const char **names;
	size_t len;

	if (lock_read_object(p, object, NULL, where) < 0)
		return p->err->code;
	names = lock_sorted_keys(p, object);
	len = json_object_size(object);
	lists = xb_arena_array(&p->lock->arena, len, sizeof(*lists));
	for (size_t i = 0; i < len; i++) {
		const char *arch = arch_of(names[i]);

		if (!arch)
			return xb_fail(p->err, XB_E_LOCK, "%s: '%s' is nothing that xbuild knows", where, names[i]);
		lists[i].name = names[i];
		if (lock_read_packages(p, &m, names[i], arch, &lists[i].packages) < 0 ||
		    lock_check_depends(p, &lists[i].packages, NULL, where) < 0)
			return p->err->code;
	}
	*out = lists;
	*out_len = len;
	return 0;
}

int lock_read_rust(struct lock_parser *p, const json_t *document)
{
	static const char *const known[] = {"crates", "hosts", "name", "std", "version", NULL};
	const json_t *object = json_object_get(document, "rust");
	const struct lock_member m = {object, "rust"};
	struct xb_lock_rust_list *crates = NULL;
	struct xb_lock_rust *rust;
	size_t n_crates = 0;

	if (!object)
		return 0;
	rust = xb_arena_alloc(&p->lock->arena, sizeof(*rust));
	if (lock_read_object(p, object, known, "rust") < 0 ||
	    lock_read_text(p, &m, "name", xb_name_is_suite, &rust->name) < 0 ||
	    lock_read_text(p, &m, "version", xb_name_is_version_number, &rust->version) < 0 ||
	    read_lists(p, object, "hosts", arch_of_host, &rust->hosts, &rust->n_hosts) < 0 ||
	    read_lists(p, object, "std", arch_of_target, &rust->std, &rust->n_std) < 0)
		return p->err->code;
	if (json_object_get(object, "crates") && read_lists(p, object, "crates", arch_itself, &crates, &n_crates) < 0)
		return p->err->code;
	if (n_crates > 1)
		return xb_fail(p->err, XB_E_LOCK, "rust.crates: expected one architecture, found %zu", n_crates);
	if (n_crates)
		rust->crates = crates[0];
	p->lock->rust = rust;
	return 0;
}

static json_t *lists_json(const struct xb_lock_rust_list *lists, size_t len)
{
	json_t *object = json_object();

	for (size_t i = 0; i < len; i++)
		json_object_set_new(object, lists[i].name, lock_packages_json(&lists[i].packages));
	return object;
}

void lock_put_rust(json_t *document, const struct xb_lock *lock)
{
	const struct xb_lock_rust *rust = lock->rust;
	json_t *object;

	if (!rust)
		return;
	object = json_object();
	if (rust->crates.name)
		json_object_set_new(object, "crates", lists_json(&rust->crates, 1));
	json_object_set_new(object, "hosts", lists_json(rust->hosts, rust->n_hosts));
	lock_put_string(object, "name", rust->name);
	json_object_set_new(object, "std", lists_json(rust->std, rust->n_std));
	lock_put_string(object, "version", rust->version);
	json_object_set_new(document, "rust", object);
}

static const struct xb_lock_packages *find(const struct xb_lock_rust_list *lists, size_t len, const char *name)
{
	for (size_t i = 0; i < len; i++) {
		if (strcmp(lists[i].name, name) == 0)
			return &lists[i].packages;
	}
	return NULL;
}

const struct xb_lock_packages *xb_lock_rust_host(const struct xb_lock *lock, const char *host)
{
	return lock->rust ? find(lock->rust->hosts, lock->rust->n_hosts, host) : NULL;
}

const struct xb_lock_packages *xb_lock_rust_std(const struct xb_lock *lock, const char *target)
{
	return lock->rust ? find(lock->rust->std, lock->rust->n_std, target) : NULL;
}
