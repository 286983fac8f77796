/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "xbuild/base/alloc.h"

static void alloc_is_zeroed_and_never_null(void **state)
{
	static const char zeroes[256];
	char *memory = xb_alloc(sizeof(zeroes));
	void *nothing = xb_alloc(0);

	(void)state;
	assert_memory_equal(memory, zeroes, sizeof(zeroes));
	assert_non_null(nothing);
	free(nothing);
	free(memory);
}

static void realloc_keeps_the_content(void **state)
{
	char *memory = xb_realloc(NULL, 4);

	(void)state;
	memcpy(memory, "abc", 4);
	memory = xb_realloc(memory, 100000);
	assert_string_equal(memory, "abc");
	memory = xb_realloc(memory, 0);
	assert_non_null(memory);
	memory = xb_realloc_array(memory, 1000, sizeof(uint64_t));
	assert_non_null(memory);
	memory = xb_realloc_array(memory, 0, SIZE_MAX);
	assert_non_null(memory);
	free(memory);
}

static void overflow(void)
{
	free(xb_realloc_array(NULL, SIZE_MAX / 2, 3));
}

/* Runs fn in a child; returns how the child ended and what it wrote to stderr. */
static int status_of(void (*fn)(void), char *text, size_t size)
{
	int pipe_fds[2], status;
	ssize_t len;
	pid_t pid;

	assert_int_equal(pipe(pipe_fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		signal(SIGABRT, SIG_DFL);
		dup2(pipe_fds[1], STDERR_FILENO);
		fn();
		_exit(0);
	}
	close(pipe_fds[1]);
	len = read(pipe_fds[0], text, size - 1);
	close(pipe_fds[0]);
	text[len > 0 ? len : 0] = '\0';
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void overflow_aborts_with_one_line(void **state)
{
	char text[256];
	int status = status_of(overflow, text, sizeof(text));

	(void)state;
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
	assert_string_equal(text, "xbuild: out of memory\n");
}

static void strings_are_copied(void **state)
{
	const char unterminated[3] = {'a', 'b', 'c'};
	char *whole = xb_strdup("text");
	char *part = xb_strndup(unterminated, 3);
	char *early = xb_strndup("a", 1000);
	char *empty = xb_strndup(NULL, 0);

	(void)state;
	assert_string_equal(whole, "text");
	assert_string_equal(part, "abc");
	assert_string_equal(early, "a");
	assert_string_equal(empty, "");
	free(whole);
	free(part);
	free(early);
	free(empty);
}

static void printf_takes_any_length(void **state)
{
	char *text = xb_printf("%05d|%10000s|%s", 42, "x", "y");

	(void)state;
	assert_int_equal(strlen(text), 5 + 1 + 10000 + 1 + 1);
	assert_memory_equal(text, "00042| ", 7);
	assert_string_equal(text + 10005, "x|y");
	free(text);
}

/* The leak checker of the sanitized build is the other half of this test. */
static void cleanup_frees_what_the_variable_holds(void **state)
{
	char *text XB_CLEANUP(xb_free_ptr) = xb_strdup("first");
	char *nothing XB_CLEANUP(xb_free_ptr) = NULL;

	(void)state;
	free(text);
	text = xb_strdup("second");
	assert_string_equal(text, "second");
	assert_null(nothing);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(alloc_is_zeroed_and_never_null),
		cmocka_unit_test(realloc_keeps_the_content),
		cmocka_unit_test(overflow_aborts_with_one_line),
		cmocka_unit_test(strings_are_copied),
		cmocka_unit_test(printf_takes_any_length),
		cmocka_unit_test(cleanup_frees_what_the_variable_holds),
	};

	return cmocka_run_group_tests_name("base/alloc", tests, NULL, NULL);
}
