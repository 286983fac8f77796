#include <iostream>
#include <stdexcept>
#include <string>

#include "core.h"
#include "plug.h"

extern "C" int counted(void);

static int checked(int n)
{
	if (n != 7)
		throw std::runtime_error("wrong sum");
	return n;
}

int main(int argc, char **argv)
{
	std::string who = argc > 1 ? argv[1] : "nobody";
	try {
		checked(8);
		return 1;
	} catch (const std::exception &e) {
		std::cout << GREETING << ", " << who << ": " << core_answer() << " " << checked(plug_sum(3, 4)) << " " << counted()
			  << "\n";
	}
	return 0;
}
