/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of the reader of xbuild.yaml; private to model/. Each takes the node of its key and fills the project; what
 * is wrong goes to s->diags. They run in the order of this header, because later ones name what earlier ones define.
 */
#ifndef XB_MODEL_PROJECT_READ_H
#define XB_MODEL_PROJECT_READ_H

#include "schema.h"
#include "xbuild/base/map.h"

/* Rules that several parts share. */
extern const struct text_rule unit_name_rule; /* xb_name_is_unit */
extern const struct text_rule path_rule;      /* a path below the project */
extern const struct text_rule word_rule;      /* any word of an argv */
extern const struct text_rule value_rule;     /* any text, also empty */
extern const struct text_rule output_rule;    /* a path below the prefix of what a unit installs */
extern const struct text_rule package_rule;   /* xb_name_is_debian_package */

/* The keys of struct xb_settings, to be read beside those of a unit, target, profile or override. */
extern const struct schema_key settings_keys[];
extern const size_t settings_keys_len;
/* cxx: { stdlib, static-stdlib } into struct xb_settings, of a unit that has a driver. */
void project_read_foreign_cxx(struct schema *s, const struct xb_yaml *node, void *field, const void *arg);

schema_fn project_read_toolchain; /* struct xb_project */
schema_fn project_read_sysroot;	  /* struct xb_project */
schema_fn project_read_targets;	  /* struct xb_project */
schema_fn project_read_profiles;  /* struct xb_project */
schema_fn project_read_build;	  /* struct xb_project */
schema_fn project_read_tests;	  /* struct xb_project */
schema_fn project_read_images;	  /* struct xb_project */
schema_fn project_read_base;	  /* struct xb_image */
schema_fn project_read_tags;	  /* struct xb_project */

/* What base and packages of an image say together. */
void project_check_base(struct schema *s, const struct xb_image *image);

/* Fills in the targets and profiles that exist without being named. */
void project_default_targets(struct schema *s);
void project_default_profiles(struct schema *s);
void project_default_tags(struct schema *s);

/* The keys of drivers in the order of enum xb_driver_kind (the first is that of XB_DRIVER_CMAKE); they read nothing. */
extern const struct schema_key project_driver_keys[];
extern const size_t project_driver_keys_len;
/* The map of the unit's driver key in `node`, into unit->foreign; and what outputs and names follow from it. */
void project_read_foreign(struct schema *s, const struct xb_yaml *node, struct xb_unit *unit);
/* What one target or profile adds. */
void project_read_foreign_override(struct schema *s, const struct xb_yaml *node, enum xb_driver_kind driver,
				   struct xb_override *override, const char *what);

schema_fn project_target_names; /* struct xb_words: targets of the project, by any spelling; kept canonical */

/*
 * The unit that "build:<name>" or "build:<name>/<output>" means, or NULL. An unknown one is a problem at `at`. A word without
 * "build:" gives NULL without a problem and leaves *is_ref false. *out_output: the one of its outputs that is meant, NULL
 * for a unit without a list.
 */
struct xb_unit *project_unit_ref(struct schema *s, const char *word, struct xb_place at, const char **out_output,
				 bool *is_ref);
/* Adds "unknown unit 'x'" with a suggestion. */
void project_refuse_unit(struct schema *s, struct xb_sv name, struct xb_place at);
/* True when the unit is built for every target in `targets` (empty: all of the project). */
bool project_unit_covers(const struct schema *s, const struct xb_unit *unit, const struct xb_words *targets);

#endif
