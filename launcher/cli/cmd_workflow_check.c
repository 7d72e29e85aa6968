/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs in airlock-cli as the caller. No shell; what stands in a record are arguments and never
 * options, which end at "--". The front checks all of it again.
 */
#include "cmd_workflow_check.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "../snapshot/layer.h"
#include "../sys/sys.h"
#include "cmd_profile.h"
#include "view_tree.h"

#define RESULT_MAX ((size_t)8 << 20)
#define OPTIONS_MAX 20u

/* ---- running it ----------------------------------------------------------------------------- */

static void __attribute__((noreturn))
become_airlock(const char *const *argv, int result_fd, bool quiet, pid_t parent)
{
	int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int out = open("/dev/null", O_WRONLY | O_CLOEXEC);

	/* a check outlives nobody who wants to know */
	if (sys_end_with_parent(parent, SIGTERM) == 0 && fcntl(result_fd, F_SETFD, 0) == 0 &&
	    dup2(in, 0) == 0 && (!quiet || dup2(out, 1) == 1)) {
		execv(argv[0], (char *const *)(uintptr_t)argv);
	}
	_exit(127);
}

static int
run(const char *const *argv, int result_fd, bool quiet, struct err *err)
{
	const pid_t parent = getpid();
	pid_t pid;
	int rc;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		become_airlock(argv, result_fd, quiet, parent);
	}
	if (pid < 0) {
		return err_sys(err, -errno, "fork");
	}
	rc = sys_wait(pid, NULL);
	return rc < 0 ? err_sys(err, rc, "wait for the check") : 0;
}

/* The words of the command line; the caller has the array freed. */
static const char **
make_argv(const struct check_request *req, const char *front, const char *result_fd)
{
	const char **argv = calloc(OPTIONS_MAX + req->argc, sizeof(*argv));
	const struct {
		const char *option, *value;
	} options[] = {
		{ "-p", req->profile },	      { "-m", "observe" },	{ "-W", req->workflow },
		{ "--over", req->over },      { "-w", req->workspace }, { "-C", req->directory },
		{ "--result-fd", result_fd },
	};
	size_t n = 0;

	if (argv == NULL) {
		return NULL;
	}
	argv[n++] = front;
	argv[n++] = "run";
	argv[n++] = "-q";
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		if (options[i].value != NULL) {
			argv[n++] = options[i].option;
			argv[n++] = options[i].value;
		}
	}
	argv[n++] = "--";
	memcpy(argv + n, req->argv, req->argc * sizeof(*argv));
	return argv;
}

static int
read_result(int fd, char ret_call[UUID_TEXT_SIZE], struct err *err)
{
	auto_buf text = BUF_INIT;
	json_t *result;
	const char *id;
	bool is_recorded;

	if (lseek(fd, 0, SEEK_SET) < 0 || fdio_slurp(fd, RESULT_MAX, &text) < 0) {
		return err_sys(err, -EIO, "read the result of the check");
	}
	result = json_loadb(buf_text(&text), text.len, 0, NULL);
	id = json_string_value(json_object_get(result, "call"));
	is_recorded = id != NULL && strlen(id) == UUID_TEXT_SIZE - 1;
	if (is_recorded) {
		memcpy(ret_call, id, UUID_TEXT_SIZE);
	}
	json_decref(result);
	return is_recorded ? 0 : err_set(err, -ECHILD, "the check was not run");
}

int
check_run(const struct check_request *req, char ret_call[UUID_TEXT_SIZE], struct err *err)
{
	auto_places places = { .shipped = NULL };
	auto_free const char **argv = NULL;
	auto_fd result = fdio_memfd("result", "", 0);
	char number[16];
	int rc = result < 0 ? err_sys(err, result, "memfd_create") : places_find(&places, err);

	if (rc < 0) {
		return rc;
	}
	snprintf(number, sizeof(number), "%d", result);
	argv = make_argv(req, places.front, number);
	if (argv == NULL) {
		return err_sys(err, -ENOMEM, "run the check");
	}
	rc = run(argv, result, req->quiet, err);
	return rc < 0 ? rc : read_result(result, ret_call, err);
}

/* ---- what its record says ------------------------------------------------------------------- */

int
check_tree(struct reading *r, const struct record *rec, char ret[HEX_DIGEST_SIZE], struct err *err)
{
	auto_tree_list list = TREE_LIST_INIT;
	auto_buf lines = BUF_INIT;
	uint8_t digest[SHA256_SIZE];
	struct err why = ERR_INIT;
	int rc = tree_list_read(r, rec, TREE_IN, &list, &why);

	ret[0] = '\0';
	if (rc < 0) {
		*err = rc == -ENODATA ? *err : why;
		return rc == -ENODATA ? 0 : rc;
	}
	tree_print_mtree(&list, &lines);
	rc = buf_error(&lines);
	if (rc < 0) {
		return err_sys(err, rc, "digest a tree");
	}
	sha256_of(lines.data, lines.len, digest);
	text_hex(digest, sizeof(digest), ret);
	return 0;
}

static int
is_same_draft(int workflow_fd, const json_t *draft, bool *ret, struct err *err)
{
	auto_fd place = layer_open_place(workflow_fd, LAYER_DRAFT, false);
	struct layers layers = { .items = NULL };
	int rc = place == -ENOENT ? 0
	       : place < 0	  ? err_sys(err, place, "open the draft")
				  : layers_list(place, &layers, err);

	*ret = rc == 0 && layers.count == json_array_size(draft);
	for (size_t i = 0; *ret && i < layers.count; i++) {
		const char *call = json_string_value(json_array_get(draft, i));
		char id[UUID_TEXT_SIZE];

		text_uuid_print(layers.items[i].call, id);
		*ret = call != NULL && strcmp(call, id) == 0;
	}
	layers_finish(&layers);
	return rc;
}

int
check_is_current(struct reading *r, int workflow_fd, const struct record *rec, struct err *err)
{
	uint64_t changes = 0;
	bool is_same = false;
	int rc = is_same_draft(workflow_fd, json_object_get(rec->planned, "draft"), &is_same, err);

	rc = rc < 0 ? rc : index_changed_behind(r->ix, rec->id, &changes, err);
	if (rc < 0 || (is_same && changes == 0)) {
		return rc;
	}
	return err_set(err, -EBUSY,
		       "call %.13s checked what is not there any more: %s; check workflow %s again",
		       rec->id, is_same ? "its workspace was changed" : "its draft is another",
		       record_text(rec->planned, "workflow_name"));
}

void
check_put_verdict(struct buf *b, const struct record *rec)
{
	const json_t *status = json_object_get(rec->outcome, "exit");

	text_safe(b, record_verdict(rec), strlen(record_verdict(rec)), false);
	if (json_is_integer(status) && json_integer_value(status) != 0) {
		buf_printf(b, " with exit %lld", (long long)json_integer_value(status));
	}
}

static json_t *
text_or_none(const char *text)
{
	return text[0] != '\0' ? json_string(text) : json_null();
}

int
check_print(const struct record *rec, const char *tree, struct buf *out)
{
	json_t *check = json_object();
	json_t *draft = json_deep_copy(json_object_get(rec->planned, "draft"));
	int bad = json_object_set_new(check, "call", json_string(rec->id));

	bad |= json_object_set_new(check, "draft", draft != NULL ? draft : json_array());
	bad |= json_object_set_new(check, "profile",
				   text_or_none(record_text(rec->planned, "profile.name")));
	bad |= json_object_set_new(check, "profile_digest",
				   text_or_none(record_text(rec->planned, "profile.digest")));
	bad |= json_object_set_new(check, "tree", text_or_none(tree));
	if (bad != 0) {
		json_decref(check);
		return -ENOMEM;
	}
	return record_put_json(check, out);
}

/* A string of the record, with the bytes that it spells; NULL where it has none. */
static const char *
raw(struct arena *arena, const char *spelled)
{
	auto_buf bytes = BUF_INIT;

	if (spelled == NULL || text_unvis(spelled, &bytes) != 0 ||
	    memchr(buf_text(&bytes), '\0', bytes.len) != NULL) {
		return NULL;
	}
	return arena_copy(arena, buf_text(&bytes), bytes.len);
}

/* The last call of its draft, where that is still held: what is older lies below it. */
static int
find_over(struct reading *r, const struct record *rec, struct arena *arena, const char **ret,
	  struct err *err)
{
	const json_t *draft = json_object_get(rec->planned, "draft");
	size_t count = json_array_size(draft);
	auto_record last = RECORD_INIT;
	int rc;

	*ret = NULL;
	if (count == 0) {
		return 0;
	}
	rc = record_load(r, json_string_value(json_array_get(draft, count - 1)), &last, err);
	if (rc == 0 && strcmp(record_settled(&last), "held") == 0) {
		*ret = arena_string(arena, last.id);
	}
	return rc;
}

int
check_request_of(struct reading *r, const struct record *rec, struct arena *arena,
		 struct check_request *ret, struct err *err)
{
	const json_t *argv = json_object_get(rec->planned, "argv");
	size_t argc = json_array_size(argv);
	const char **words = arena_alloc(arena, (argc + 1) * sizeof(*words));
	struct check_request req = {
		.profile = raw(arena, record_text(rec->planned, "profile.source")),
		.workspace = raw(arena, record_text(rec->planned, "workspace.path")),
		.directory = raw(arena, record_text(rec->planned, "cwd")),
		.argv = words,
		.argc = argc,
	};
	int rc;
	bool is_good = words != NULL && argc > 0 && req.profile != NULL && req.workspace != NULL &&
		       req.directory != NULL;

	for (size_t i = 0; is_good && i < argc; i++) {
		words[i] = raw(arena, json_string_value(json_array_get(argv, i)));
		is_good = words[i] != NULL;
	}
	if (!is_good) {
		return err_set(err, -EBADMSG, "the record of call %s does not say what was run",
			       rec->id);
	}
	*ret = req;
	rc = find_over(r, rec, arena, &ret->over, err);
	if (rc == 0 && ret->over != NULL) {
		ret->workflow = raw(arena, record_text(rec->planned, "workflow"));
	}
	return rc;
}
