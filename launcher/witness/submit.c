/* SPDX-License-Identifier: Apache-2.0 */
/*
 * airlock-witness submit: one request to a witness, from standard input, for airlock-log, which has
 * no HTTP. The answer is from whoever listens there: whoever reads it checks the signatures.
 */
#include "verbs.h"

#include <curl/curl.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/buf.h"
#include "../base/fdio.h"
#include "request.h"

#define TIMEOUT_MS 10000L
#define TIMEOUT_MAX_MS 600000L

static const char usage[] =
	"usage: airlock-witness submit --url URL [--timeout MS] <REQUEST\n"
	"Posts a request of add-checkpoint, prints the cosignatures that come back.\n"
	"  --url URL     unix:/PATH, or http://127.0.0.1:PORT[/PREFIX]\n"
	"  --timeout MS  for all of it (default 10000)\n"
	"Exits 4 when the witness has cosigned another size, and prints that size.\n";

struct answer {
	struct buf body;
	long status;
	bool is_size; /* text/x.tlog.size */
};

static size_t
on_data(char *data, size_t size, size_t count, void *arg)
{
	struct buf *body = arg;

	if (size * count > NOTE_MAX - body->len) {
		return 0; /* curl ends with an error of its own */
	}
	buf_put(body, data, size * count);
	return body->failed ? 0 : size * count;
}

/* "unix:/path" is a path for curl and an address that says nothing; else only loopback. */
static int
take_url(CURL *curl, const char *url, struct err *err)
{
	static const char *const hosts[] = { "http://127.0.0.1:", "http://[::1]:" };
	auto_buf full = BUF_INIT;
	CURLcode code = CURLE_OK;

	if (strncmp(url, "unix:/", 6) == 0) {
		code = curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, url + 5);
		buf_puts(&full, "http://witness/add-checkpoint");
	}
	for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
		size_t len = strlen(url);

		if (strncmp(url, hosts[i], strlen(hosts[i])) == 0 && strchr(url, '@') == NULL) {
			buf_printf(&full, "%.*s/add-checkpoint",
				   (int)(url[len - 1] == '/' ? len - 1 : len), url);
		}
	}
	if (full.len == 0) {
		return err_set(
			err, -EINVAL,
			"%s: not unix:/PATH or http://127.0.0.1:PORT; a witness that is farther "
			"away is reached through a proxy of this host",
			url);
	}
	if (code != CURLE_OK || buf_error(&full) < 0 ||
	    curl_easy_setopt(curl, CURLOPT_URL, buf_text(&full)) != CURLE_OK) {
		return err_set(err, -ENOMEM, "%s: not usable", url);
	}
	return 0;
}

static int
prepare(CURL *curl, const struct buf *request, long timeout_ms, struct curl_slist *headers,
	struct answer *ret)
{
	return curl_easy_setopt(curl, CURLOPT_POST, 1L) != CURLE_OK ||
			       curl_easy_setopt(curl, CURLOPT_POSTFIELDS, buf_text(request)) !=
				       CURLE_OK ||
			       curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
						(curl_off_t)request->len) != CURLE_OK ||
			       curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers) != CURLE_OK ||
			       curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http") != CURLE_OK ||
			       curl_easy_setopt(curl, CURLOPT_PROXY, "") != CURLE_OK ||
			       curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) != CURLE_OK ||
			       curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, timeout_ms) != CURLE_OK ||
			       curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data) != CURLE_OK ||
			       curl_easy_setopt(curl, CURLOPT_WRITEDATA, &ret->body) != CURLE_OK
		     ? -ENOMEM
		     : 0;
}

static int
post(const char *url, const struct buf *request, long timeout_ms, struct answer *ret,
     struct err *err)
{
	CURL *curl = curl_easy_init();
	/* No "Expect: 100-continue", which costs a turn. */
	struct curl_slist *headers = curl_slist_append(NULL, "Expect:");
	const char *type = NULL;
	CURLcode code = CURLE_OK;
	int r;

	if (curl == NULL || headers == NULL ||
	    prepare(curl, request, timeout_ms, headers, ret) < 0) {
		r = err_set(err, -ENOMEM, "libcurl does not start");
	} else {
		r = take_url(curl, url, err);
	}
	if (r == 0) {
		code = curl_easy_perform(curl);
	}
	if (r == 0 && code != CURLE_OK) {
		r = err_set(err, -EIO, "%s: %s", url, curl_easy_strerror(code));
	}
	if (r == 0 && (curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &ret->status) != CURLE_OK ||
		       curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type) != CURLE_OK)) {
		r = err_set(err, -EIO, "%s: no answer", url);
	}
	ret->is_size = type != NULL && strcmp(type, "text/x.tlog.size") == 0;
	curl_slist_free_all(headers);
	curl_easy_cleanup(curl);
	return r;
}

static int
report(const char *url, const struct answer *a, struct err *err)
{
	const char *text = buf_text(&a->body);

	if (a->status == 200 || (a->status == 409 && a->is_size)) {
		if (fdio_write(STDOUT_FILENO, text, a->body.len) < 0) {
			ignore_err(err_set(err, -EIO, "writing the answer"), "it is printed next");
			return verb_fail(1, err);
		}
		return a->status == 200 ? 0 : WITNESS_EXIT_CONFLICT;
	}
	/* Its words are its own; the first line, as far as it is printable. */
	ignore_err(
		err_set(err, -EPROTO, "%s: the witness refuses (%ld): %.*s", url, a->status,
			(int)strspn(text,
				    " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~"),
			text),
		"it is printed next");
	return verb_fail(1, err);
}

int
verb_submit(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "timeout", required_argument, NULL, 't' },
		{ "url", required_argument, NULL, 'u' },
		{ NULL, 0, NULL, 0 },
	};
	long timeout_ms = TIMEOUT_MS;
	struct answer a = { .body = BUF_INIT };
	auto_buf request = BUF_INIT;
	struct err err = ERR_INIT;
	const char *url = NULL;
	char *end = NULL;
	int c, r;

	while ((c = getopt_long(argc, argv, "+h", options, NULL)) != -1) {
		switch (c) {
		case 't':
			timeout_ms = strtol(optarg, &end, 10);
			if (*end != '\0' || timeout_ms < 1 || timeout_ms > TIMEOUT_MAX_MS) {
				return verb_usage(usage,
						  "--timeout takes 1 to 600000 milliseconds");
			}
			break;
		case 'u':
			url = optarg;
			break;
		default:
			return verb_usage(usage, c == 'h' ? NULL : "");
		}
	}
	if (url == NULL || optind < argc) {
		return verb_usage(usage, "needs --url, and nothing else");
	}
	r = fdio_slurp(STDIN_FILENO, WITNESS_REQUEST_MAX, &request);
	if (r < 0) {
		ignore_err(err_sys(&err, r, "reading the request"), "it is printed next");
		return verb_fail(1, &err);
	}
	r = post(url, &request, timeout_ms, &a, &err);
	r = r < 0 ? verb_fail(1, &err) : report(url, &a, &err);
	buf_finish(&a.body);
	return r;
}
