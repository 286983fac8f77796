#include "core.h"

int core_twice(int n)
{
	return 2 * n;
}
