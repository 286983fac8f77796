/* SPDX-License-Identifier: Apache-2.0 */
/* From an apko.yaml, or its apko.lock.json, to what xbuild.lock has of it. */
#include <stdlib.h>
#include <string.h>

#include "base_apko.h"
#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/base/map.h"
#include "xbuild/base/num.h"
#include "xbuild/base/path.h"
#include "xbuild/base/vec.h"
#include "xbuild/model/apko_lock.h"
#include "xbuild/pkg/apk_solve.h"
#include "xbuild/store/cas.h"
#include "xbuild/sys/fs.h"

#define MAX_KEY_BYTES (64 * 1024)

/* One run. */
struct resolving {
	struct xb_app *app;
	const struct xb_apko *config;
	struct xb_arena *arena; /* of the result */
	struct xb_lock_apko *out;
	struct xb_words archs;
	struct xb_rsa_key *keys;
	XB_VEC(struct xb_apk_index *) indexes; /* arch by arch, in the order of the repositories */
	struct xb_words repositories;	       /* sorted, each once */
};

static void release(struct resolving *r)
{
	for (size_t i = 0; i < r->indexes.len; i++)
		xb_apk_index_free(r->indexes.items[i]);
	XB_VEC_RELEASE(&r->indexes);
}

struct xb_words apko_archs(const struct xb_app *app, const struct xb_apko *config, struct xb_arena *arena)
{
	const struct xb_project *p = app->project;
	struct xb_words archs = {.items =
					 xb_arena_array(arena, config->archs.len + p->n_targets, sizeof(*archs.items))};

	for (size_t i = 0; i < config->archs.len; i++)
		archs.items[archs.len++] = xb_apko_apk_arch(xb_sv(config->archs.items[i]));
	for (size_t i = 0; i < p->n_targets && !config->archs.len; i++)
		archs.items[archs.len++] = p->targets[i].target->apk_arch;
	return archs;
}

/* "%40" in a URL is "@" in the name that a signature gives. */
static const char *unescaped(struct xb_arena *arena, struct xb_sv name)
{
	struct xb_str out XB_CLEANUP(xb_str_release) = {0};

	for (size_t i = 0; i < name.len; i++) {
		uint32_t value;

		if (name.ptr[i] == '%' && i + 2 < name.len && xb_sv_eq_str(xb_sv_n(name.ptr + i, 3), "%40")) {
			value = '@';
			i += 2;
		} else {
			value = (unsigned char)name.ptr[i];
		}
		xb_str_append_char(&out, (char)value);
	}
	return xb_arena_strdup(arena, xb_str_get(&out));
}

/* A key over a line that anybody can change would make everything that it signs worthless. */
static bool is_safe_place(const char *place)
{
	static const char *const local[] = {"http://127.0.0.1", "http://localhost", "http://[::1]"};
	bool is_local = false;

	for (size_t i = 0; i < XB_COUNT(local); i++) {
		const struct xb_sv text = xb_sv(place);
		const size_t len = strlen(local[i]);

		/* the whole host, and no user name that looks like it */
		is_local = is_local || (xb_sv_starts(text, local[i]) && memchr("/:", place[len], 3) &&
					!memchr(place, '@', text.len));
	}
	return is_local || !xb_sv_starts(xb_sv(place), "http://");
}

static int read_blob(struct xb_app *app, const struct xb_digest *digest, struct xb_str *out, struct xb_err *err)
{
	char *path XB_CLEANUP(xb_free_ptr) = xb_cas_path(app->store, digest);

	return xb_fs_read(path, MAX_KEY_BYTES, out, err);
}

/* Fetches the keys whose content is not known. */
static int fetch_keys(struct xb_app *app, struct xb_arena *arena, struct xb_lock_apk_key *keys, size_t n,
		      struct xb_err *err)
{
	for (size_t i = 0; i < n; i++) {
		struct apko_file file = {.place = keys[i].url, .size_bytes = -1};
		struct xb_str text XB_CLEANUP(xb_str_release) = {0};

		if (keys[i].content)
			continue;
		if (!is_safe_place(keys[i].url)) {
			xb_fail(err, XB_E_INPUT, "key '%s' would come over http", keys[i].url);
			return xb_hint(err, "use https, or put the file into the project");
		}
		if (apko_fetch_files(app, &file, 1, MAX_KEY_BYTES, "apk keys", err) < 0 ||
		    read_blob(app, &file.got, &text, err) < 0)
			return xb_wrap(err, "key '%s'", keys[i].url);
		keys[i].content = xb_arena_strdup(arena, xb_str_get(&text));
	}
	return 0;
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorted and each once: so apko has them. */
static struct xb_words set_of(struct xb_arena *arena, const struct xb_words *a, const struct xb_words *b)
{
	struct xb_words all = {.items = xb_arena_array(arena, a->len + b->len, sizeof(*all.items))};
	size_t n = 0;

	for (size_t i = 0; i < a->len + b->len; i++)
		all.items[i] = i < a->len ? a->items[i] : b->items[i - a->len];
	if (a->len + b->len)
		qsort(all.items, a->len + b->len, sizeof(*all.items), compare_texts);
	for (size_t i = 0; i < a->len + b->len; i++) {
		if (!n || strcmp(all.items[i], all.items[n - 1]) != 0)
			all.items[n++] = all.items[i];
	}
	all.len = n;
	return all;
}

static int read_keys(struct resolving *r, struct xb_err *err)
{
	static const struct xb_words none = {0};
	const struct xb_words urls = set_of(r->arena, &r->config->keyring, &none);
	struct xb_lock_apko *out = r->out;

	if (!urls.len) {
		xb_fail(err, XB_E_INPUT, "%s: there is no key in contents.keyring", r->config->path);
		return xb_hint(err, "name the keys of the repositories: xbuild trusts none that nobody has named");
	}
	out->keys = xb_arena_array(r->arena, urls.len, sizeof(*out->keys));
	for (; out->n_keys < urls.len; out->n_keys++) {
		const char *url = xb_arena_strdup(r->arena, urls.items[out->n_keys]);

		out->keys[out->n_keys] = (struct xb_lock_apk_key){.name = xb_apko_strip(url), .url = url};
	}
	if (fetch_keys(r->app, r->arena, out->keys, out->n_keys, err) < 0)
		return err->code;
	r->keys = xb_arena_array(r->arena, out->n_keys, sizeof(*r->keys));
	for (size_t i = 0; i < out->n_keys; i++)
		r->keys[i] = (struct xb_rsa_key){.pem = xb_sv(out->keys[i].content),
						 .name = unescaped(r->arena, xb_path_base(xb_sv(out->keys[i].url)))};
	return 0;
}

static void warn_weak(struct resolving *r, const struct xb_apk_index *index)
{
	char *text XB_CLEANUP(xb_free_ptr) =
		xb_printf("the index of '%s' for %s is signed with RSA and SHA-1, which is weak; %s says so",
			  index->repository.url, index->repository.arch, XB_LOCK_NAME);

	if (index->weak_signature)
		xb_observe(r->app->observer, &(struct xb_event){.kind = XB_EVENT_WARNING, .text = text});
}

static const char *hash_name(enum xb_rsa_hash hash)
{
	return hash == XB_RSA_SHA512 ? "RSA512" : hash == XB_RSA_SHA256 ? "RSA256" : "RSA";
}

static int open_index(struct resolving *r, const struct apko_file *file, const char *repository, const char *arch,
		      struct xb_err *err)
{
	struct xb_lock_apk_repository *locked = &r->out->repositories[r->out->n_repositories];
	int fd XB_CLEANUP(xb_fs_close) = -1;
	struct xb_apk_index *index;
	struct xb_sv tag;
	const char *url = xb_apko_url(repository, &tag);
	const struct xb_apk_index_source source = {
		.name = file->place,
		.repository = {.url = url, .arch = arch, .tag = xb_arena_sv(r->arena, tag)},
		.keys = r->keys,
		.n_keys = r->out->n_keys,
	};
	struct xb_apk_index_source opened = source;

	if (xb_cas_open(r->app->store, &file->got, &fd, err) < 0)
		return err->code;
	opened.fd = fd;
	if (xb_apk_index_open(&opened, &index, err) < 0)
		return err->code;
	XB_VEC_PUSH(&r->indexes, index);
	warn_weak(r, index);
	*locked = (struct xb_lock_apk_repository){.arch = arch,
						  .url = xb_arena_strdup(r->arena, url),
						  .index = file->got,
						  .signature = hash_name(index->hash),
						  .signed_by = xb_arena_strdup(r->arena, index->key)};
	r->out->n_repositories++;
	return 0;
}

/* A repository is for some architectures, and says so by having no index of the others. */
static int hint_index(const struct resolving *r, const struct apko_file *files, size_t n, struct xb_err *err)
{
	const struct xb_apko *config = r->config;
	size_t i = 0;

	while (i < n && !files[i].is_missing)
		i++;
	if (i == n)
		return err->code;
	const char *arch = r->archs.items[i / r->repositories.len];
	const char *repository = r->repositories.items[i % r->repositories.len];

	xb_err_clear(err);
	xb_fail(err, XB_E_INPUT, "%s: repository '%s' has no index for %s: there is no '%s'", config->path, repository,
		arch, files[i].place);
	if (config->archs.len)
		return xb_hint(err, "correct the repository, or take %s out of 'archs'", arch);
	return xb_hint(
		err,
		"correct the repository, or say in 'archs' which it has; without, it is for the project's targets");
}

static int read_indexes(struct resolving *r, struct xb_err *err)
{
	const size_t n_repositories = r->repositories.len, n = n_repositories * r->archs.len;
	struct apko_file *files = xb_arena_array(r->arena, n, sizeof(*files));

	r->out->repositories = xb_arena_array(r->arena, n, sizeof(*r->out->repositories));
	for (size_t i = 0; i < n; i++) {
		const char *arch = r->archs.items[i / n_repositories];
		struct xb_sv tag;
		const char *url = xb_apko_url(r->repositories.items[i % n_repositories], &tag);

		files[i] = (struct apko_file){.place = xb_arena_printf(r->arena, "%s/%s/APKINDEX.tar.gz", url, arch),
					      .label = xb_arena_printf(r->arena, "%s/APKINDEX.tar.gz", arch),
					      .size_bytes = -1};
	}
	if (apko_fetch_files(r->app, files, n, XB_MAX_INDEX_BYTES, "apk indexes", err) < 0)
		return hint_index(r, files, n, err);
	for (size_t i = 0; i < n; i++) {
		if (open_index(r, &files[i], r->repositories.items[i % n_repositories],
			       r->archs.items[i / n_repositories], err) < 0)
			return err->code;
	}
	return 0;
}

/* ---- packages ---- */

static void tell_older(struct resolving *r, const struct xb_apk_solution *solution, const struct xb_apk_chosen *chosen)
{
	struct xb_str why XB_CLEANUP(xb_str_release) = {0};
	char *text XB_CLEANUP(xb_free_ptr) = NULL;

	if (!chosen->newer)
		return;
	(void)xb_apk_solution_why(solution, chosen->package->name, &why);
	text = xb_printf("%s: '%s' stays at %s: %s is not there for %s (%s)", r->config->path, chosen->package->name,
			 chosen->package->version, chosen->newer->version, chosen->missing_on, xb_str_get(&why));
	xb_observe(r->app->observer, &(struct xb_event){.kind = XB_EVENT_NOTE, .text = text});
}

static void add_solution(struct resolving *r, const struct xb_apk_solution *solution)
{
	struct apko_said *said XB_CLEANUP(xb_free_ptr) = xb_alloc((solution->len + 1) * sizeof(*said));
	struct xb_lock_apk *packages = r->out->packages + r->out->n_packages;

	for (size_t i = 0; i < solution->len; i++) {
		const struct xb_apk_package *p = solution->items[i].package;

		tell_older(r, solution, &solution->items[i]);
		packages[i] = (struct xb_lock_apk){.name = xb_arena_strdup(r->arena, p->name),
						   .version = xb_arena_strdup(r->arena, p->version),
						   .arch = xb_arena_strdup(r->arena, solution->arch),
						   .url = xb_apk_package_url(p, r->arena),
						   .checksum = xb_arena_strdup(r->arena, p->checksum),
						   .size_bytes = (int64_t)p->size_bytes};
		said[i] = (struct apko_said){packages[i].name, p->depends, p->provides, p->install_if,
					     solution->items[i].why == XB_APK_INSTALL_IF};
	}
	apko_link(said, packages, solution->len, NULL, r->arena);
	r->out->n_packages += solution->len;
}

static int solve(struct resolving *r, struct xb_err *err)
{
	const struct xb_list wishes = {.items = r->config->packages.items, .len = r->config->packages.len};
	struct xb_apk_arch *archs = xb_arena_array(r->arena, r->archs.len, sizeof(*archs));
	const size_t n_repositories = r->repositories.len;
	struct xb_apk_resolver *resolver;
	struct xb_apk_solution *solutions = NULL;
	size_t n = 0;

	for (size_t i = 0; i < r->archs.len; i++)
		archs[i] = (struct xb_apk_arch){.name = r->archs.items[i],
						.indexes = (const struct xb_apk_index *const *)r->indexes.items +
							   i * n_repositories,
						.n_indexes = n_repositories};
	xb_apk_resolver_new(archs, r->archs.len, &resolver);
	if (xb_apk_resolver_run(resolver, &wishes, r->arena, &solutions, err) == 0) {
		for (size_t i = 0; i < r->archs.len; i++)
			n += solutions[i].len;
		r->out->packages = xb_arena_array(r->arena, n, sizeof(*r->out->packages));
		for (size_t i = 0; i < r->archs.len; i++)
			add_solution(r, &solutions[i]);
	}
	xb_apk_resolver_free(resolver);
	return err->code ? xb_wrap(err, "%s", r->config->path) : 0;
}

/* What a lock of apko says of the parts has to be what was found. */
static int compare_parts(const struct xb_lock_apk *said, const struct xb_lock_apk *found, struct xb_err *err)
{
	if (said->signature_bytes == found->signature_bytes && said->control_bytes == found->control_bytes &&
	    said->size_bytes == found->size_bytes && xb_digest_eq(&said->data, &found->data))
		return 0;
	return xb_fail(err, XB_E_VERIFY, "package '%s' is not the one of apko.lock.json", said->url);
}

/* `locked`: sizes and digests are those of a lock, which tells nothing of other packages: that goes there. */
static int measure(struct xb_app *app, struct xb_arena *arena, const struct apko_file *file, struct apko_said *locked,
		   struct xb_lock_apk *package, struct xb_err *err)
{
	const struct xb_lock_apk before = *package;
	struct xb_apk_info info = {0};
	int fd XB_CLEANUP(xb_fs_close) = -1;

	if (xb_cas_open(app->store, &file->got, &fd, err) < 0 ||
	    xb_apk_measure(fd, arena, package, locked ? &info : NULL, err) < 0)
		return err->code;
	package->sha256 = file->got;
	if (!locked)
		return 0;
	*locked = (struct apko_said){.name = package->name,
				     .depends = apko_relations(&info.depends, arena),
				     .provides = apko_relations(&info.provides, arena),
				     .install_if = apko_relations(&info.install_if, arena)};
	return compare_parts(&before, package, err);
}

/* Packages of one architecture follow each other. */
static void link_packages(struct apko_said *said, struct xb_lock_apko *out, const struct xb_words *wishes,
			  struct xb_arena *arena)
{
	for (size_t begin = 0, end; begin < out->n_packages; begin = end) {
		for (end = begin; end < out->n_packages; end++) {
			if (strcmp(out->packages[end].arch, out->packages[begin].arch) != 0)
				break;
		}
		apko_link(said + begin, out->packages + begin, end - begin, wishes, arena);
	}
}

/*
 * Fetches all packages, and writes down what they are. `wishes`, which led to them, for those of a lock: sizes and digests
 * are known, and have to be right; what they need is not.
 */
static int fetch_packages(struct xb_app *app, struct xb_arena *arena, struct xb_lock_apko *out,
			  const struct xb_words *wishes, struct xb_err *err)
{
	struct apko_said *said XB_CLEANUP(xb_free_ptr) = xb_alloc((out->n_packages + 1) * sizeof(*said));
	struct apko_file *files XB_CLEANUP(xb_free_ptr) = xb_alloc((out->n_packages + 1) * sizeof(*files));

	for (size_t i = 0; i < out->n_packages; i++)
		files[i] = (struct apko_file){.place = out->packages[i].url, .size_bytes = out->packages[i].size_bytes};
	if (apko_fetch_files(app, files, out->n_packages, XB_MAX_PACKAGE_BYTES, "apk packages", err) < 0)
		return err->code;
	for (size_t i = 0; i < out->n_packages; i++) {
		if (measure(app, arena, &files[i], wishes ? &said[i] : NULL, &out->packages[i], err) < 0)
			return err->code;
	}
	if (wishes)
		link_packages(said, out, wishes, arena);
	return xb_cas_sync(app->store, err);
}

/* ---- an apko.lock.json as it is ---- */

static void copy_lock(const struct xb_apko_lock *lock, struct xb_arena *arena, struct xb_lock_apko *out)
{
	out->keys = xb_arena_array(arena, lock->n_keys, sizeof(*out->keys));
	for (; out->n_keys < lock->n_keys; out->n_keys++) {
		const struct xb_lock_apk_key *key = &lock->keys[out->n_keys];

		out->keys[out->n_keys] =
			(struct xb_lock_apk_key){.name = xb_arena_strdup(arena, key->name),
						 .url = xb_arena_strdup(arena, key->url),
						 .content = key->content ? xb_arena_strdup(arena, key->content) : NULL};
	}
	out->packages = xb_arena_array(arena, lock->n_packages, sizeof(*out->packages));
	for (; out->n_packages < lock->n_packages; out->n_packages++) {
		struct xb_lock_apk *p = &out->packages[out->n_packages];

		*p = lock->packages[out->n_packages];
		p->name = xb_arena_strdup(arena, p->name);
		p->version = xb_arena_strdup(arena, p->version);
		p->arch = xb_arena_strdup(arena, p->arch);
		p->url = xb_arena_strdup(arena, p->url);
		p->checksum = xb_arena_strdup(arena, p->checksum);
	}
}

static int use_lock(struct xb_app *app, const struct xb_apko *config, const char *file, struct xb_arena *arena,
		    struct xb_lock_apko *out, struct xb_err *err)
{
	char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(app->project->dir, file);
	struct xb_apko_lock *lock;

	if (xb_apko_lock_read(path, &lock, err) < 0)
		return err->code;
	if (lock->config_name && !xb_digest_eq(&lock->config, &config->digest)) {
		xb_fail(err, XB_E_LOCK, "'%s' is not of '%s' as it is now", file, config->path);
		xb_hint(err, "make it anew: 'xbuild lock --apko %s'", config->path);
	} else {
		copy_lock(lock, arena, out);
	}
	xb_apko_lock_free(lock);
	if (err->code || fetch_keys(app, arena, out->keys, out->n_keys, err) < 0)
		return err->code;
	return fetch_packages(app, arena, out, &config->packages, err);
}

int apko_resolve(struct xb_app *app, const struct xb_apko *config, const char *lock_file, struct xb_arena *arena,
		 struct xb_lock_apko *out, struct xb_err *err)
{
	struct resolving r XB_CLEANUP(release) = {.app = app, .config = config, .arena = arena, .out = out};

	*out = (struct xb_lock_apko){.path = xb_arena_strdup(arena, config->path), .config = config->digest};
	if (lock_file)
		return use_lock(app, config, lock_file, arena, out, err);
	r.archs = apko_archs(app, config, arena);
	r.repositories = set_of(arena, &config->build_repositories, &config->repositories);
	if (!r.repositories.len || !config->packages.len)
		return xb_fail(err, XB_E_INPUT, "%s: expected repositories and packages in contents", config->path);
	if (read_keys(&r, err) < 0 || read_indexes(&r, err) < 0 || solve(&r, err) < 0)
		return err->code;
	return fetch_packages(app, arena, out, NULL, err);
}
