/* SPDX-License-Identifier: Apache-2.0 */
/* The members of a configuration: their types, and values that are readable and odd. OCI image-spec v1.1 config.md. */
#include <string.h>

#include "audit_parts.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/num.h"
#include "xbuild/image/config_types.h"

/* config.md "ExposedPorts": "port/tcp", "port/udp", "port"; sctp is Docker's. Docker's ranges are two ports. */
static bool is_port(const char *text)
{
	struct xb_sv rest = xb_sv(text);
	struct xb_sv ports = xb_sv_cut(&rest, '/');
	uint64_t number;

	if (rest.ptr && !xb_sv_eq_str(rest, "tcp") && !xb_sv_eq_str(rest, "udp") && !xb_sv_eq_str(rest, "sctp"))
		return false;
	while (ports.ptr) {
		if (!xb_num_u64(xb_sv_cut(&ports, '-'), 65535, &number) || !number)
			return false;
	}
	return true;
}

static void check_env(struct audit_run *run, const json_t *env, const char *where)
{
	for (size_t i = 0; i < json_array_size(env); i++) {
		const char *text = json_string_value(json_array_get(env, i));

		if (!text)
			continue;
		if (!strchr(text, '=') || text[0] == '=')
			audit_warning(run, "%s: Env: '%s' is not NAME=VALUE", where, text);
	}
	for (size_t i = 1; i < json_array_size(env) && i < XB_MAX_DIAGS; i++) {
		const char *text = json_string_value(json_array_get(env, i));
		const size_t len = text ? strcspn(text, "=") : 0;

		for (size_t k = 0; len && k < i; k++) {
			const char *other = json_string_value(json_array_get(env, k));

			if (other && strncmp(other, text, len) == 0 && other[len] == '=')
				audit_warning(run, "%s: Env: '%.*s' is set twice", where, (int)len, text);
		}
	}
}

static void check_habits(struct audit_run *run, const json_t *config, const char *where)
{
	const char *workdir = json_string_value(json_object_get(config, "WorkingDir"));
	json_t *ports = json_object_get(config, "ExposedPorts");

	check_env(run, json_object_get(config, "Env"), where);
	if (workdir && *workdir && *workdir != '/')
		audit_warning(run, "%s: WorkingDir '%s' is not absolute", where, workdir);
	for (void *at = json_object_iter(ports); at; at = json_object_iter_next(ports, at)) {
		if (!is_port(json_object_iter_key(at)))
			audit_warning(run, "%s: ExposedPorts: '%s' is no port", where, json_object_iter_key(at));
	}
}

struct telling {
	struct audit_run *run;
	const char *where;
};

static void tell(void *ctx, bool is_problem, const char *text)
{
	const struct telling *t = ctx;

	(is_problem ? audit_problem : audit_warning)(t->run, "%s: %s", t->where, text);
}

void audit_check_config(struct audit_run *run, const json_t *document, const char *where)
{
	xb_config_types_check(document, tell, &(struct telling){run, where});
	check_habits(run, json_object_get(document, "config"), where);
}
