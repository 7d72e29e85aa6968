/* SPDX-License-Identifier: Apache-2.0 */
/*
 * airlock-witness serve: cosigns what logs prove, for whoever connects. Runs as its operator, not
 * as who runs airlock, or it witnesses nothing. One thread: requests are judged one after the
 * other, while bodies come in side by side. It may be killed at any time: what it answered is on
 * disk before.
 */
#include "verbs.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <microhttpd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "../base/clock.h"
#include "../base/fdio.h"
#include "listen.h"
#include "request.h"
#include "state.h"
#include "witness.h"

#define KEY_FILE_MAX 4096u
#define CONNECTIONS_MAX 64u
#define IDLE_SECONDS 10u

static const char usage[] =
	"usage: airlock-witness serve --key FILE --state DIR --listen ADDRESS --log VKEY...\n"
	"Cosigns checkpoints of logs that only grow (C2SP tlog-witness, add-checkpoint).\n"
	"  --key FILE        of airlock-witness new-key\n"
	"  --state DIR       what was cosigned last, per log; losing it lets a log start anew\n"
	"  --listen ADDRESS  unix:/PATH or 127.0.0.1:PORT\n"
	"  --log VKEY        a log's public key, or @FILE with it; once for each\n";

/* ---- one request ---------------------------------------------------------------------------- */

/* A body that comes in. */
struct upload {
	struct buf body;
	bool is_too_large;
};

static enum MHD_Result
respond(struct MHD_Connection *connection, const struct witness_answer *a)
{
	struct MHD_Response *response = NULL;
	enum MHD_Result result = MHD_NO;

	if (buf_error(&a->body) == 0) {
		response = MHD_create_response_from_buffer(a->body.len, a->body.data,
							   MHD_RESPMEM_MUST_COPY);
	}
	if (response != NULL &&
	    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, a->type) == MHD_YES) {
		result = MHD_queue_response(connection, a->status, response);
	}
	if (response != NULL) {
		MHD_destroy_response(response);
	}
	return result;
}

static enum MHD_Result
refuse(struct MHD_Connection *connection, unsigned int status, const char *text)
{
	struct witness_answer a = { .status = status, .type = "text/plain", .body = BUF_INIT };
	enum MHD_Result result;

	buf_printf(&a.body, "%s\n", text);
	result = respond(connection, &a);
	buf_finish(&a.body);
	return result;
}

static enum MHD_Result
judge(const struct witness *w, struct MHD_Connection *connection, const struct upload *up)
{
	struct witness_answer a = { .status = 500, .type = "text/plain", .body = BUF_INIT };
	struct err err = ERR_INIT;
	enum MHD_Result result;

	if (up->is_too_large) {
		return refuse(connection, 413, "larger than any request of add-checkpoint");
	}
	if (buf_error(&up->body) < 0) {
		return refuse(connection, 503, "out of memory");
	}
	witness_add_checkpoint(w, buf_text(&up->body), up->body.len, clock_realtime_ms() / 1000, &a,
			       &err);
	if (err.code != 0) {
		ignore_err(verb_fail(1, &err), "the witness goes on; who asked got a 500");
	}
	result = respond(connection, &a);
	buf_finish(&a.body);
	return result;
}

/* Whether the path is .../add-checkpoint. */
static bool
is_ours(const char *url)
{
	static const char end[] = "/add-checkpoint";
	size_t len = strlen(url);

	return len >= strlen(end) && strcmp(url + len - strlen(end), end) == 0;
}

/* Called when the head is there, for each piece of the body, and when it is whole. */
static enum MHD_Result
on_request(void *arg, struct MHD_Connection *connection, const char *url, const char *method,
	   const char *version, const char *data, size_t *data_len, void **slot)
{
	struct upload *up = *slot;

	(void)version;
	if (up == NULL) {
		if (!is_ours(url)) {
			return refuse(connection, 404, "only add-checkpoint is here");
		}
		if (strcmp(method, MHD_HTTP_METHOD_POST) != 0) {
			return refuse(connection, 405, "add-checkpoint takes POST");
		}
		up = calloc(1, sizeof(*up));
		*slot = up;
		return up == NULL ? MHD_NO : MHD_YES;
	}
	if (*data_len == 0) {
		return judge(arg, connection, up);
	}
	if (*data_len > WITNESS_REQUEST_MAX - up->body.len) {
		up->is_too_large = true;
	} else if (!up->is_too_large) {
		buf_put(&up->body, data, *data_len);
	}
	*data_len = 0;
	return MHD_YES;
}

static void
on_completed(void *arg, struct MHD_Connection *connection, void **slot,
	     enum MHD_RequestTerminationCode why)
{
	struct upload *up = *slot;

	(void)arg;
	(void)connection;
	(void)why;
	if (up != NULL) {
		buf_finish(&up->body);
		free(up);
		*slot = NULL;
	}
}

/* ---- start --------------------------------------------------------------------------------- */

struct options {
	const char *key, *state, *address; /* borrowed from argv */
};

/* A log's key, or @FILE with it. */
static int
read_log(const char *argument, struct note_key *ret, struct err *err)
{
	auto_buf text = BUF_INIT;
	int r = 0;

	if (argument[0] == '@') {
		r = fdio_slurp_at(AT_FDCWD, argument + 1, KEY_FILE_MAX, &text);
		if (r < 0) {
			return err_sys(err, r, "--log %s", argument);
		}
	} else {
		buf_puts(&text, argument);
	}
	r = note_key_parse(buf_text(&text), ret, err);
	if (r == 0 && ret->algorithm != NOTE_ALGORITHM_ED25519) {
		r = err_set(err, -EINVAL, "it is the key of a witness, not of a log");
	}
	if (r < 0) {
		err_prefix(err, "--log %s", argument);
	}
	return r;
}

/* -1 to go on, else the exit status. */
static int
parse(int argc, char **argv, struct options *o, struct witness *w, struct err *err)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },	    { "key", required_argument, NULL, 'k' },
		{ "listen", required_argument, NULL, 'l' }, { "log", required_argument, NULL, 'o' },
		{ "state", required_argument, NULL, 's' },  { NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "+h", options, NULL)) != -1) {
		switch (c) {
		case 'k':
			o->key = optarg;
			break;
		case 'l':
			o->address = optarg;
			break;
		case 's':
			o->state = optarg;
			break;
		case 'o':
			if (w->logs == WITNESS_LOGS_MAX) {
				return verb_usage(usage, "takes at most 64 logs");
			}
			if (read_log(optarg, &w->log[w->logs], err) < 0) {
				return verb_fail(WITNESS_EXIT_USAGE, err);
			}
			w->logs++;
			break;
		default:
			return verb_usage(usage, c == 'h' ? NULL : "");
		}
	}
	if (o->key == NULL || o->state == NULL || o->address == NULL || w->logs == 0 ||
	    optind < argc) {
		return verb_usage(
			usage,
			"needs --key, --state, --listen, at least one --log, and nothing else");
	}
	return -1;
}

static int
read_key(const char *path, struct note_signer *ret, struct err *err)
{
	auto_fd fd = open(path, O_RDONLY | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		return err_sys(err, -errno, "%s: opening the witness's key", path);
	}
	if (!S_ISREG(st.st_mode) || (st.st_mode & 077) != 0 ||
	    (st.st_uid != geteuid() && st.st_uid != 0)) {
		return err_set(
			err, -EPERM,
			"%s: is not a file of its owner alone; a key that others could read signs "
			"for them too (chmod 600)",
			path);
	}
	return note_signer_read(fd, path, NOTE_ALGORITHM_COSIGNATURE, ret, err);
}

/* The key is in memory from here on: no core, no debugger of another process of this user. */
static int
protect(struct err *err)
{
	const struct rlimit none = { 0, 0 };

	if (setrlimit(RLIMIT_CORE, &none) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
		return err_sys(err, -errno, "keeping the key in this process");
	}
	return 0;
}

static int
answer_requests(struct witness *w, int listen_fd, const char *place, struct err *err)
{
	struct MHD_Daemon *daemon = MHD_start_daemon(
		MHD_USE_EPOLL, 0, NULL, NULL, on_request, w, MHD_OPTION_LISTEN_SOCKET, listen_fd,
		MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
		IDLE_SECONDS, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_END);
	auto_buf vkey = BUF_INIT;

	if (daemon == NULL) {
		return err_set(err, -EIO, "%s: the HTTP server does not start", place);
	}
	note_key_print(&w->key->key, &vkey);
	printf("listening %s\nkey %s\n", place, buf_text(&vkey));
	fflush(stdout);
	while (MHD_run_wait(daemon, -1) == MHD_YES) {
	}
	MHD_stop_daemon(daemon);
	return err_set(err, -EIO, "%s: the HTTP server ended", place);
}

int
verb_serve(int argc, char **argv)
{
	struct options o = { .key = NULL };
	struct witness w = { .dir_fd = -1 };
	auto_note_signer key = { .seed = { 0 } };
	struct err err = ERR_INIT;
	auto_buf place = BUF_INIT;
	auto_fd dir_fd = -1;
	int listen_fd = -1, status = parse(argc, argv, &o, &w, &err);

	if (status >= 0 || o.key == NULL) {
		return status;
	}
	if (protect(&err) < 0 || read_key(o.key, &key, &err) < 0 ||
	    witness_state_open(o.state, &dir_fd, &err) < 0 ||
	    witness_listen(o.address, &listen_fd, &place, &err) < 0) {
		return verb_fail(1, &err);
	}
	w.key = &key;
	w.dir_fd = dir_fd;
	ignore_err(answer_requests(&w, listen_fd, buf_text(&place), &err),
		   "it returns with an error only");
	return verb_fail(1, &err);
}
