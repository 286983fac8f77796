/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../../src/build/drive.h"

/* What is printed by make -n, and the places of this machine in it, each with a blank behind it. */
static void test_places(void **state)
{
	static const struct {
		const char *commands, *places;
	} table[] = {
		{"", ""},
		{"cp tool /st/usr/bin\nmkdir -p /st/etc\necho done > /st/etc/x", ""},
		{"cp tool /usr/bin/tool\n", "/usr/bin/tool "},
		{"install -m 755 a b /usr/local/bin", "/usr/local/bin "},
		{"/usr/bin/install -c -m 644 'a b' \"/opt/x y/\"", "/opt/x y/ "},
		{"install -d /etc/a /st/etc /etc/b; install -Dm644 a /etc/c; install -v -d /var/d",
		 "/etc/a /etc/b /etc/c /var/d "},
		{"cp -t /usr/bin a; cp --target-directory=/etc a; mv -t /st/usr/bin /usr/x", "/usr/bin /etc "},
		{"cp /usr/share/x /etc/y /st/usr; ln -s /usr/lib/a /st/usr/lib/a; ln -sf /usr/lib/a; ln -s x "
		 "/usr/lib/b",
		 "/usr/lib/b "},
		{"rm -f /usr/bin/a /st/usr/bin/a; touch /var/b; chmod 755 /srv/c; x | tee /etc/d >/dev/null",
		 "/usr/bin/a /var/b /srv/c /etc/d "},
		{"echo a >/etc/a; echo b >> '/etc/b'; c 2>/etc/c >|/etc/d; e >&2; f 2>&1; g </etc/g; cp a b "
		 "2>/dev/null",
		 "/etc/a /etc/b /etc/c /etc/d "},
		{"cp a /etc/x 2>/dev/null </usr/y", "/etc/x "},
		{"for f in a b; do cp $f /usr/share/$f; done; if true; then mkdir /opt/a; else rm /opt/b; fi",
		 "/usr/share/$f /opt/a /opt/b "},
		{"( cd x && cp a /usr/a ); { rm /usr/b; }; A=1 B=2 cp a /usr/c & sudo cp a /usr/d\n! mkdir /usr/e",
		 "/usr/a /usr/b /usr/c /usr/d /usr/e "},
		{"/bin/sh ./libtool  --mode=install /usr/bin/install -c tool '/st/usr/bin'\n"
		 "sh libtool --quiet --mode=install install -c tool /usr/bin",
		 "/usr/bin "},
		{"../install-sh -c a /usr/a; /x/mkinstalldirs /usr/b /st/usr/b", "/usr/a /usr/b "},
		{"cp a \\\n  /usr/a\ncp b /usr/\\\nb", "/usr/a /usr/b "},
		{"# don't cp a /usr/a\ncp b /usr/b # cp c /usr/c\ncp d# /usr/d#", "/usr/b /usr/d# "},
		{"echo 'cp a /usr/a; cp b' \"/usr/b > /usr/c\"; cp x \"/usr/\\\"d\"", "/usr/\"d "},
		{"make[1]: Entering directory '/usr/src'\ngcc -o /x/a /usr/lib/b.o; ldconfig /usr/lib; test -d "
		 "/usr/lib",
		 ""},
		/* what only a build without a staging tree does */
		{"if [ -z \"/st\" ]; then cp a /usr/a; \\\n rm /usr/b; fi\ncp a /usr/c", "/usr/c "},
		{"test x/st = x && cp a /etc/a; cp b /etc/b\ntest -n \"/st/usr\" && cp c /etc/c", "/etc/c "},
		/* of this very build */
		{"cp a /opt/project/.xbuild/src/b; mkdir /opt/project; mkdir /opt/projects; cp a /dev/null; cp a usr/b",
		 "/opt/projects "},
		{"cp a '/usr/never ends", "/usr/never ends "},
		{"cp a /usr/b >", "/usr/b "},
	};
	const char *const own[] = {"/st", "/opt/project", NULL};

	(void)state;
	for (size_t i = 0; i < XB_COUNT(table); i++) {
		struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
		struct xb_str found XB_CLEANUP(xb_str_release) = {0};
		struct xb_dirs places = {0};

		drive_look(xb_sv(table[i].commands), own, &arena, &places);
		for (size_t k = 0; k < places.len; k++)
			xb_str_printf(&found, "%s ", places.items[k]);
		if (strcmp(xb_str_get(&found), table[i].places) != 0)
			fail_msg("'%s': expected '%s', found '%s'", table[i].commands, table[i].places,
				 xb_str_get(&found));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
