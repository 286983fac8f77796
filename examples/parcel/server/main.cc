// SPDX-License-Identifier: Apache-2.0
#include <iostream>
#include <string>

#include "digest.h"
#include "parcel_codec.h"
#include "parcel_core.h"

static int self_test()
{
	const std::string text(200, 'p');
	char hex[65];
	if (parcel_digest("abc", 3, hex) != 0)
		return 1;
	if (std::string(hex) != "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
		return 1;
	if (parcel_checksum("abcde", 5) != 0xc8f0)
		return 1;
	const size_t packed = parcel_round_trip(text.c_str());
	if (packed == 0 || packed >= text.size())
		return 1;
	std::cout << "parcel " PARCEL_VERSION " works: 200 bytes pack to " << packed << "\n";
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && std::string(argv[1]) == "--self-test")
		return self_test();
	std::cerr << "usage: parcel --self-test\n";
	return 2;
}
