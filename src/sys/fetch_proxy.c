/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "fetch_transfer.h"
#include "xbuild/base/alloc.h"
#include "xbuild/sys/http.h"

/* curl, lib/url.c "detect_proxy"; the same words tell of no_proxy, which names none. */
#define SAYS "Uses proxy env variable "

static int debug_cb(CURL *easy, curl_infotype type, char *data, size_t len, void *user)
{
	struct fetch_proxy *proxy = user;
	struct xb_sv rest = xb_sv_trim(xb_sv_n(data, len)), name;
	struct xb_str plain = {0};

	(void)easy;
	if (!proxy || type != CURLINFO_TEXT || !xb_sv_starts(rest, SAYS) || !xb_sv_ends(rest, "'"))
		return 0;
	rest = xb_sv_n(rest.ptr + sizeof(SAYS) - 1, rest.len - (sizeof(SAYS) - 1));
	name = xb_sv_cut(&rest, ' ');
	if (!rest.ptr || !xb_sv_starts(rest, "== '") || xb_sv_starts(name, "no_") || xb_sv_starts(name, "NO_"))
		return 0;
	char *address XB_CLEANUP(xb_free_ptr) = xb_sv_dup(xb_sv_n(rest.ptr + 4, rest.len - 5));

	xb_http_plain_url(address, &plain);
	fetch_proxy_release(proxy);
	*proxy = (struct fetch_proxy){.variable = xb_sv_dup(name), .address = xb_str_steal(&plain)};
	return 0;
}

void fetch_proxy_release(struct fetch_proxy *proxy)
{
	free(proxy->variable);
	free(proxy->address);
	*proxy = (struct fetch_proxy){0};
}

unsigned fetch_proxy_watch(CURL *easy, struct fetch_proxy *proxy)
{
	fetch_proxy_release(proxy);
	return curl_easy_setopt(easy, CURLOPT_DEBUGFUNCTION, debug_cb) |
	       curl_easy_setopt(easy, CURLOPT_DEBUGDATA, proxy) | curl_easy_setopt(easy, CURLOPT_VERBOSE, 1L);
}

/* A kept connection logs its end later, when nobody listens any more. */
void fetch_proxy_unwatch(CURL *easy)
{
	(void)curl_easy_setopt(easy, CURLOPT_VERBOSE, 0L);
	(void)curl_easy_setopt(easy, CURLOPT_DEBUGDATA, NULL);
}

char *fetch_proxy_hint(CURL *easy, CURLcode code, const struct fetch_proxy *proxy)
{
	long status = 0;

	if (!proxy->address)
		return NULL;
	/* with a proxy nothing else is connected to */
	if (code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_PROXY || code == CURLE_PROXY)
		return xb_printf("does the proxy '%s' run, which %s names?", proxy->address, proxy->variable);
	(void)curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &status);
	if (code != CURLE_OK && status >= 300)
		return xb_printf("it is the proxy '%s' that refuses (%ld), which %s names", proxy->address, status,
				 proxy->variable);
	return NULL;
}
