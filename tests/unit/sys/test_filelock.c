/* SPDX-License-Identifier: Apache-2.0 */
/* flock(2) locks belong to open files, so two locks in one process stand against each other like those of two. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dlfcn.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sample.h"
#include "xbuild/base/path.h"
#include "xbuild/sys/filelock.h"

static int make_dir(void **state)
{
	*state = sample_dir();
	return 0;
}

static int drop_dir(void **state)
{
	sample_dir_remove(*state);
	return 0;
}

static bool can_lock(const char *path)
{
	struct xb_filelock lock XB_CLEANUP(xb_filelock_release) = {.fd = -1};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	bool held = false;

	assert_int_equal(xb_filelock_try(&lock, path, &held, &err), 0);
	assert_int_equal(held, lock.fd >= 0);
	return held;
}

static void one_holds_it_at_a_time(void **state)
{
	char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(*state, "lock");
	struct xb_filelock lock XB_CLEANUP(xb_filelock_release) = {.fd = -1};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};

	assert_true(can_lock(path));
	assert_true(xb_fs_exists(path));
	assert_int_equal(xb_filelock_acquire(&lock, path, NULL, NULL, &err), 0);
	assert_int_equal(fcntl(lock.fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_false(can_lock(path));
	assert_false(can_lock(path));
	xb_filelock_release(&lock);
	assert_int_equal(lock.fd, -1);
	xb_filelock_release(&lock);
	assert_true(can_lock(path));
}

static void an_empty_lock_can_be_released(void **state)
{
	struct xb_filelock zero = {0};

	(void)state;
	xb_filelock_release(NULL);
	xb_filelock_release(&zero); /* must not close descriptor 0 */
	assert_true(fcntl(0, F_GETFD) != -1);
}

/* What a test of waiting is made of: the holder lets go once the waiter has told that it waits. */
struct scene {
	const char *path;
	char pid[32]; /* as the message has it */
	struct xb_filelock holder;
	bool replace; /* remove the file instead of only letting go */
	int notes;
};

static void let_go(void *self, const struct xb_event *event)
{
	struct scene *scene = self;

	assert_int_equal(event->kind, XB_EVENT_NOTE);
	assert_non_null(strstr(event->text, scene->path));
	assert_non_null(strstr(event->text, scene->pid));
	scene->notes++;
	if (scene->replace)
		assert_int_equal(unlink(scene->path), 0);
	xb_filelock_release(&scene->holder);
}

static void waiting_is_told_once(void **state)
{
	char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(*state, "lock");
	struct scene scene = {.path = path, .holder = {.fd = -1}};
	const struct xb_observer observer = {.event = let_go, .self = &scene};
	struct xb_filelock lock XB_CLEANUP(xb_filelock_release) = {.fd = -1};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};

	snprintf(scene.pid, sizeof(scene.pid), "(pid %ld)", (long)getpid());
	for (int i = 0; i < 2; i++) {
		scene.replace = i == 1;
		scene.notes = 0;
		assert_int_equal(xb_filelock_acquire(&scene.holder, path, &observer, NULL, &err), 0);
		assert_int_equal(scene.notes, 0);
		assert_int_equal(xb_filelock_acquire(&lock, path, &observer, NULL, &err), 0);
		assert_int_equal(scene.notes, 1);
		/* Held for everybody who comes by that name, also where the file was replaced meanwhile. */
		assert_true(xb_fs_exists(path));
		assert_false(can_lock(path));
		xb_filelock_release(&lock);
	}
}

/* Of a longer number that was there before, nothing is left. */
static void the_holder_is_the_latest(void **state)
{
	char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(*state, "lock");
	struct xb_filelock lock XB_CLEANUP(xb_filelock_release) = {.fd = -1};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	char *pid XB_CLEANUP(xb_free_ptr) = xb_printf("%ld\n", (long)getpid());

	sample_write(path, "2147483647\n2147483647\n", 22);
	assert_int_equal(xb_filelock_acquire(&lock, path, NULL, NULL, &err), 0);
	assert_int_equal(xb_fs_read(path, 100, &text, &err), 0);
	assert_string_equal(xb_str_get(&text), pid);
}

static const char *removed_on_lock; /* the file that goes away just before the next lock is asked for, or NULL */

/* Instead of that of the C library, in this program. */
int flock(int fd, int operation)
{
	int (*real)(int, int);

	*(void **)&real = dlsym(RTLD_NEXT, "flock");
	if (removed_on_lock)
		unlink(removed_on_lock);
	removed_on_lock = NULL;
	return real(fd, operation);
}

/* One may have opened the file just before its holder removed it: what it locks then is nobody's lock any more. */
static void a_removed_file_is_no_lock(void **state)
{
	char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(*state, "lock");
	struct xb_filelock lock XB_CLEANUP(xb_filelock_release) = {.fd = -1};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	bool held = false;

	removed_on_lock = path;
	assert_int_equal(xb_filelock_try(&lock, path, &held, &err), 0);
	assert_null(removed_on_lock);
	assert_true(held);
	assert_true(xb_fs_exists(path));
	assert_false(can_lock(path));
}

/* A handler may have run before the wait began: then no signal will come that could end a sleep. */
static void an_interruption_ends_the_wait(void **state)
{
	char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(*state, "lock");
	struct xb_filelock holder XB_CLEANUP(xb_filelock_release) = {.fd = -1};
	struct xb_filelock lock XB_CLEANUP(xb_filelock_release) = {.fd = -1};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	const volatile int interrupted = 1;

	assert_int_equal(xb_filelock_acquire(&lock, path, NULL, &interrupted, &err), 0);
	xb_filelock_release(&lock);
	assert_int_equal(xb_filelock_acquire(&holder, path, NULL, NULL, &err), 0);
	alarm(20);
	assert_int_equal(xb_filelock_acquire(&lock, path, NULL, &interrupted, &err), XB_E_INTERRUPTED);
	alarm(0);
	assert_int_equal(lock.fd, -1);
	assert_non_null(strstr(err.msg, path));
}

static void errors_name_the_path(void **state)
{
	char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(*state, "missing/lock");
	struct xb_filelock lock = {.fd = -1};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	bool held;

	assert_int_equal(xb_filelock_acquire(&lock, path, NULL, NULL, &err), XB_E_NOT_FOUND);
	assert_non_null(strstr(err.msg, path));
	xb_err_clear(&err);
	assert_int_equal(xb_filelock_try(&lock, path, &held, &err), XB_E_NOT_FOUND);
	assert_int_equal(lock.fd, -1);
}

static void a_foreign_cache_can_be_locked(void **state)
{
	char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(*state, "lock");

	sample_write(path, "", 0);
	assert_int_equal(chmod(path, 0444), 0);
	assert_int_equal(chmod(*state, 0755), 0);
	if (getuid() == 0)
		assert_int_equal(seteuid(65534), 0);
	assert_true(can_lock(path));
	if (getuid() == 0)
		assert_int_equal(seteuid(0), 0);
}

/* The kernel lets go of what a dead process held. */
static void death_releases(void **state)
{
	char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(*state, "lock");
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		struct xb_filelock lock = {.fd = -1};
		struct xb_err err = {0};

		if (xb_filelock_acquire(&lock, path, NULL, NULL, &err) == 0)
			kill(getpid(), SIGKILL);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_true(can_lock(path));
}

int main(void)
{
#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, make_dir, drop_dir)
	const struct CMUnitTest tests[] = {
		IN_DIR(one_holds_it_at_a_time),
		cmocka_unit_test(an_empty_lock_can_be_released),
		IN_DIR(waiting_is_told_once),
		IN_DIR(an_interruption_ends_the_wait),
		IN_DIR(errors_name_the_path),
		IN_DIR(a_foreign_cache_can_be_locked),
		IN_DIR(death_releases),
		IN_DIR(the_holder_is_the_latest),
		IN_DIR(a_removed_file_is_no_lock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
