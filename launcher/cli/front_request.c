/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by the front: the digest of what the caller asks, by which a key knows a request again. What
 * the host looks like is no part of it (toolchains, held change sets): the same request stays the
 * same when it is sent again later.
 */
#include <string.h>
#include <unistd.h>

#include "../base/json.h"
#include "front.h"

static void
put_argv(struct json *j, const struct front *f)
{
	json_begin_array(j);
	for (size_t i = 0; i < f->req.argc; i++) {
		json_bytes(j, f->req.argv[i], strlen(f->req.argv[i]));
	}
	json_end(j);
}

static void
put_directory(struct json *j, const struct front *f)
{
	json_bytes(j, f->req.cwd, strlen(f->req.cwd));
}

/*
 * Salted with the workflow, so that the record does not let anybody guess a short secret offline
 * across workflows.
 */
static void
put_environment(struct json *j, const struct front *f)
{
	json_begin_array(j);
	for (size_t i = 0; i < f->asked_env_count; i++) {
		struct sha256 hash;
		uint8_t digest[SHA256_SIZE];

		sha256_init(&hash);
		sha256_update(&hash, f->workflow, sizeof(f->workflow));
		sha256_update(&hash, f->asked_env[i], strlen(f->asked_env[i]));
		sha256_final(&hash, digest);
		json_hex(j, digest, SHA256_SIZE);
	}
	json_end(j);
}

static void
put_limits(struct json *j, const struct front *f)
{
	front_limits_json(j, &f->req.limits);
}

static void
put_mode(struct json *j, const struct front *f)
{
	json_str(j, profile_mode_words[f->req.mode]);
}

static void
put_profile(struct json *j, const struct front *f)
{
	json_hex(j, f->profile->digest, SHA256_SIZE);
}

static void
put_workspace(struct json *j, const struct front *f)
{
	const struct request *r = &f->req;

	json_begin_object(j);
	json_kv_uint(j, "btime_ns", (uint64_t)r->workspace_btime_ns);
	json_kv_uint(j, "dev", r->workspace_dev);
	json_kv_uint(j, "ino", r->workspace_ino);
	json_end(j);
}

static void
put_actor(struct json *j, const struct front *f)
{
	json_begin_object(j);
	json_kv_bytes(j, "principal", f->principal);
	json_kv_uint(j, "uid", geteuid());
	json_end(j);
}

static void
put_other(struct json *j, const struct front *f)
{
	json_begin_object(j);
	if (f->opt.bundle != NULL) {
		json_kv_bytes(j, "bundle", f->opt.bundle);
	}
	if (f->opt.grant_count > 0) {
		json_key(j, "grants");
		json_begin_array(j);
		for (size_t i = 0; i < f->opt.grant_count; i++) {
			json_bytes(j, f->opt.grants[i], strlen(f->opt.grants[i]));
		}
		json_end(j);
	}
	json_kv_bytes(j, "input", f->input_path);
	json_kv_bytes(j, "over", f->opt.over);
	json_kv_bytes(j, "step", f->opt.step);
	json_kv_bool(j, "terminal", f->opt.tty);
	json_end(j);
}

static void (*const put_part[REQUEST_PART__COUNT])(struct json *j, const struct front *f) = {
	[REQUEST_ARGV] = put_argv,
	[REQUEST_DIRECTORY] = put_directory,
	[REQUEST_ENVIRONMENT] = put_environment,
	[REQUEST_LIMITS] = put_limits,
	[REQUEST_MODE] = put_mode,
	[REQUEST_PROFILE] = put_profile,
	[REQUEST_WORKSPACE] = put_workspace,
	[REQUEST_ACTOR] = put_actor,
	[REQUEST_OTHER] = put_other,
};

int
front_request_digest(struct front *f)
{
	struct sha256 all;
	int rc = 0;

	sha256_init(&all);
	for (enum request_part i = 0; rc == 0 && i < REQUEST_PART__COUNT; i++) {
		auto_buf text = BUF_INIT;
		uint8_t digest[SHA256_SIZE];
		struct json j;

		json_init(&j, &text);
		put_part[i](&j, f);
		rc = json_error(&j);
		sha256_of(text.data, text.len, digest);
		sha256_update(&all, digest, SHA256_SIZE);
		text_hex(digest, REQUEST_PART_BYTES,
			 f->key.parts + (size_t)i * REQUEST_PART_BYTES * 2);
	}
	sha256_final(&all, f->repeat_digest);
	sha256_init(&all);
	sha256_update(&all, f->repeat_digest, SHA256_SIZE);
	sha256_update(&all, f->workflow, sizeof(f->workflow));
	sha256_update(&all, f->opt.key != NULL ? f->opt.key : "",
		      f->opt.key != NULL ? strlen(f->opt.key) : 0);
	sha256_final(&all, f->key.request);
	return rc < 0 ? err_sys(&f->err, rc, "write the request") : 0;
}
