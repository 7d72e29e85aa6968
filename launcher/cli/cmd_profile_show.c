/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `airlock profile show` and `airlock profile schema`. Run in airlock-cli as the caller. Trusts no
 * file: on a terminal what is shown of one is escaped.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../base/json.h"
#include "../base/text.h"
#include "../profile/profile_print.h"
#include "cmd_profile.h"
#include "commands.h"

static void
put_heading(struct buf *out, const char *what, const char *path)
{
	buf_printf(out, "# %s", what);
	text_safe(out, path, strlen(path), false);
	buf_putc(out, '\n');
}

/* The bytes as they are, below the path that a search found. */
static void
show_file(const struct profile_loaded *loaded, struct buf *out)
{
	const struct profile_file *file = &loaded->files[0];

	put_heading(out, "", file->path);
	for (size_t i = 1; i < loaded->file_count && loaded->files[i].is_dropin; i++) {
		put_heading(out, "with ", loaded->files[i].path);
	}
	if (isatty(STDOUT_FILENO)) {
		text_safe(out, file->bytes, file->len, true);
	} else {
		buf_put(out, file->bytes, file->len);
	}
	if (file->len > 0 && ((const char *)file->bytes)[file->len - 1] != '\n') {
		buf_putc(out, '\n');
	}
}

static void
show_effective(const struct profile_loaded *loaded, bool origins, struct buf *out)
{
	put_heading(out, "effective values of ", loaded->files[0].path);
	for (size_t i = 1; i < loaded->file_count; i++) {
		put_heading(out, loaded->files[i].is_dropin ? "with " : "over ",
			    loaded->files[i].path);
	}
	profile_print_yaml(loaded->doc, origins, out);
}

static int
show_json(const struct profile_loaded *loaded, bool origins, struct buf *out)
{
	auto_buf profile = BUF_INIT, places = BUF_INIT;
	struct json j;
	int rc = profile_canonical(loaded->doc, &profile);

	if (rc == 0 && origins) {
		rc = profile_print_origins(loaded->doc, &places);
	}
	if (rc < 0) {
		return rc;
	}
	json_init(&j, out);
	json_begin_object(&j);
	json_kv_hex(&j, "digest", loaded->profile->digest, sizeof(loaded->profile->digest));
	json_key(&j, "files");
	json_begin_array(&j);
	for (size_t i = 0; i < loaded->file_count; i++) {
		json_bytes(&j, loaded->files[i].path, strlen(loaded->files[i].path));
	}
	json_end(&j);
	if (origins) {
		json_key(&j, "origins");
		json_raw(&j, buf_text(&places), places.len);
	}
	json_key(&j, "profile");
	json_raw(&j, buf_text(&profile), profile.len);
	json_end(&j);
	buf_putc(out, '\n');
	return json_error(&j);
}

struct show_options {
	bool effective, origins, json;
};

static int
show(const char *name, const struct show_options *o)
{
	auto_places places = { .shipped = NULL };
	auto_loaded loaded = { .profile = NULL };
	auto_buf out = BUF_INIT, report = BUF_INIT;
	struct profile_request request;
	struct err err = ERR_INIT;
	int rc = places_find(&places, &err);

	if (rc == 0) {
		request = profile_request_of(name, places.shipped);
		rc = profile_load(&request, &loaded, &report, &err);
	}
	if (rc < 0 || loaded.files == NULL) {
		return profile_fail(EXIT_AIRLOCK, &report, &err);
	}
	if (o->json) {
		rc = show_json(&loaded, o->origins, &out);
	} else if (o->effective || o->origins) {
		show_effective(&loaded, o->origins, &out);
	} else {
		show_file(&loaded, &out);
	}
	rc = rc == 0 ? buf_error(&out) : rc;
	if (rc < 0) {
		err_sys(&err, rc, "profile show");
		return commands_fail(EXIT_AIRLOCK, &err);
	}
	fwrite(out.data, 1, out.len, stdout);
	return 0;
}

int
cmd_profile_show(int argc, char **argv)
{
	struct command_line cl = { .argc = argc, .argv = argv };
	struct show_options o = { .json = false };
	const char *name, *argument;
	int rc;

	while ((rc = command_line_next(&cl, &name, &argument)) > 0) {
		o.effective = o.effective || strcmp(name, "effective") == 0;
		o.origins = o.origins || strcmp(name, "origin") == 0;
		o.json = o.json || strcmp(name, "json") == 0;
	}
	rc = command_line_end(&cl, rc, 1, 1);
	if (rc >= 0) {
		return rc;
	}
	return show(cl.operand[0], &o);
}

int
cmd_profile_schema(int argc, char **argv)
{
	struct command_line cl = { .argc = argc, .argv = argv };
	auto_buf out = BUF_INIT;
	struct err err = ERR_INIT;
	const char *name, *argument;
	int rc = command_line_next(&cl, &name, &argument);

	rc = command_line_end(&cl, rc, 0, 0);
	if (rc >= 0) {
		return rc;
	}
	rc = profile_print_schema(&out);
	if (rc < 0) {
		err_sys(&err, rc, "profile schema");
		return commands_fail(EXIT_AIRLOCK, &err);
	}
	puts(buf_text(&out));
	return 0;
}
