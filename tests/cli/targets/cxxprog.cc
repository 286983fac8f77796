// SPDX-License-Identifier: Apache-2.0
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>

#include "core.h"

static thread_local std::string name = "none";

static int thrower(int x)
{
	if (x > 2)
		throw std::runtime_error("more than two");
	return x;
}

int main()
{
	std::map<std::string, int> numbers;
	std::string said;
	std::thread thread([&] {
		name = "other";
		try {
			thrower(3);
		} catch (const std::exception &e) {
			said = e.what();
		}
		numbers[name] = core_depth();
	});

	thread.join();
#ifndef WITHOUT_PLUG
	numbers["plug"] = plug_twice(4);
#endif
	std::cout << said << ' ' << name << ' ' << numbers["other"] << ' ' << numbers["plug"] << std::endl;
	return said == "more than two" && name == "none" ? 0 : 1;
}
