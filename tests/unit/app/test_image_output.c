/* SPDX-License-Identifier: Apache-2.0 */
/* --output: its spelling; where each form goes; what two of them cannot share. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../../src/app/image_plan.h"

static struct image_part parts[2];
static char dir[] = "/p";
static struct xb_project project = {.dir = dir, .file = "/p/xbuild.yaml"};
static const struct xb_image image = {.name = "parcel"};

static void parses(void **state)
{
	struct xb_image_output out = {0};
	struct xb_err err = {0};

	(void)state;
	for (int form = 0; form <= XB_IMAGE_ROOTFS; form++) {
		assert_int_equal(xb_image_output_parse(xb_image_form_name(form), &out, &err), 0);
		assert_int_equal(out.form, form);
		assert_null(out.path);
	}
	assert_int_equal(xb_image_output_parse("rootfs=a=b", &out, &err), 0);
	assert_string_equal(out.path, "a=b");
	assert_int_equal(xb_image_output_parse("oci-archiv", &out, &err), XB_E_USAGE);
	assert_string_equal(err.hint, "did you mean 'oci-archive'?");
	xb_err_clear(&err);
	assert_int_equal(xb_image_output_parse("oci=", &out, &err), XB_E_USAGE);
	xb_err_clear(&err);
	assert_int_equal(xb_image_output_parse("", &out, &err), XB_E_USAGE);
	xb_err_clear(&err);
}

/* Places outputs of an image for n_parts platforms; the paths, each on a line, or the error. */
static char *place(const struct xb_image_output *outputs, size_t n, size_t n_images, size_t n_parts)
{
	const struct image_whole whole = {.image = &image, .parts = parts, .n_parts = n_parts};
	const struct xb_image_opts opts = {.outputs = outputs, .n_outputs = n};
	struct xb_app app = {.project = &project, .options = {.dir = "/"}};
	struct image_run run = {.app = &app};
	struct xb_image_built built = {0};
	struct xb_arena arena = {0};
	struct xb_str out = {0};
	struct xb_err err = {0};

	if (image_place_outputs(&run, &opts, n_images, &whole, &arena, &built, &err) < 0)
		xb_str_printf(&out, "%d %s", err.code, err.msg);
	for (size_t i = 0; !err.code && i < built.n_outputs; i++)
		xb_str_printf(&out, "%s %s\n", built.outputs[i].path, built.outputs[i].full_path);
	xb_err_release(&err);
	xb_arena_release(&arena);
	xb_arena_release(&app.arena);
	return xb_str_steal(&out);
}

static void assert_placed(char *found, const char *expected)
{
	assert_string_equal(found, expected);
	free(found);
}

static void places(void **state)
{
	const struct xb_image_output all[] = {{XB_IMAGE_OCI, NULL},
					      {XB_IMAGE_OCI_ARCHIVE, NULL},
					      {XB_IMAGE_DOCKER_ARCHIVE, NULL},
					      {XB_IMAGE_ROOTFS, NULL}};
	const struct xb_image_output given[] = {{XB_IMAGE_ROOTFS, "x//./root.tar"}, {XB_IMAGE_OCI, "/abs/"}};
	const struct xb_image_output same[] = {{XB_IMAGE_OCI_ARCHIVE, "a.tar"},
					       {XB_IMAGE_DOCKER_ARCHIVE, "b/../a.tar"}};

	(void)state;
	assert_placed(place(NULL, 0, 1, 2), "out/images/parcel /p/out/images/parcel\n");
	assert_placed(place(all, 4, 3, 2),
		      "out/images/parcel /p/out/images/parcel\n"
		      "out/images/parcel.oci.tar /p/out/images/parcel.oci.tar\n"
		      "out/images/parcel.docker.tar /p/out/images/parcel.docker.tar\n"
		      "out/images/parcel-linux-x86_64.tar /p/out/images/parcel-linux-x86_64.tar\n"
		      "out/images/parcel-linux-aarch64.tar /p/out/images/parcel-linux-aarch64.tar\n");
	assert_placed(place(given, 2, 1, 1), "x//./root.tar /x/root.tar\n/abs/ /abs\n");
	assert_placed(place(given, 1, 1, 2), "-1 --output rootfs=x//./root.tar: a path is for one platform, found 2");
	assert_placed(place(given, 1, 2, 1), "-1 --output rootfs=x//./root.tar: a path is for one image, found 2");
	assert_placed(place(same, 2, 1, 1),
		      "-1 --output: oci-archive and docker-archive would both be written to 'b/../a.tar'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(parses), cmocka_unit_test(places)};

	parts[0].target = xb_target_find(xb_sv("linux-x86_64"));
	parts[1].target = xb_target_find(xb_sv("linux-aarch64"));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
