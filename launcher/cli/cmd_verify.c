/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `airlock verify`: a receipt, or a whole state directory, against a public key. Runs in
 * airlock-cli as whoever wants to know. What it reads is from anybody; what it prints is escaped.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "../base/fdio.h"
#include "../base/json.h"
#include "../evidence/proof.h"
#include "../log/verify.h"
#include "commands.h"

#define INPUT_MAX (1u << 20)

struct request {
	const char *key, *store, *policy;
	bool json;
};

static int
parse(struct command_line *cl, struct request *ret)
{
	const char *name, *argument;
	int rc;

	while ((rc = command_line_next(cl, &name, &argument)) > 0) {
		if (strcmp(name, "key") == 0) {
			ret->key = argument;
		} else if (strcmp(name, "store") == 0) {
			ret->store = argument;
		} else if (strcmp(name, "policy") == 0) {
			ret->policy = argument;
		} else {
			ret->json = true;
		}
	}
	return command_line_end(cl, rc, ret->store == NULL, ret->store == NULL);
}

/* The key itself, or @FILE. */
static int
load_key(const char *given, struct note_key *ret, struct err *err)
{
	auto_buf text = BUF_INIT;
	struct err why = ERR_INIT;
	int rc = 0;

	if (given == NULL) {
		return err_set(err, -EINVAL,
			       "verify: --key VKEY is missing: the line that airlock key show "
			       "printed, from a place that you trust, or @FILE with it");
	}
	if (given[0] == '@') {
		rc = fdio_slurp_at(AT_FDCWD, given + 1, INPUT_MAX, &text);
		if (rc != 0) {
			return err_sys(err, rc, "read %s", given + 1);
		}
	} else {
		buf_puts(&text, given);
	}
	rc = note_key_parse(buf_text(&text), ret, &why);
	if (rc == 0 && ret->algorithm != NOTE_ALGORITHM_ED25519) {
		rc = err_set(&why, -EINVAL, "it is the key of a witness, not of a log");
	}
	return rc != 0 ? err_set(err, rc, "--key: %s", why.text) : 0;
}

static int
load_policy(const char *path, struct trust *ret, struct err *err)
{
	auto_buf text = BUF_INIT;
	int rc = fdio_slurp_at(AT_FDCWD, path, INPUT_MAX, &text);

	return rc != 0 ? err_sys(err, rc, "read %s", path)
		       : trust_parse(path, buf_text(&text), text.len, ret, err);
}

/* ---- a receipt ----------------------------------------------------------------------------- */

static int
print_receipt(const struct request *req, const struct tlog_proof *proof, const struct checkpoint *c)
{
	auto_buf out = BUF_INIT;
	struct json j;

	if (!req->json) {
		auto_buf entry = BUF_INIT;

		text_safe(&entry, proof->extra.data, proof->extra.len, false);
		printf("ok: entry %llu of %llu in the log %s\n%s\n",
		       (unsigned long long)proof->index, (unsigned long long)c->size, c->origin,
		       buf_text(&entry));
		return 0;
	}
	json_init(&j, &out);
	json_begin_object(&j);
	json_key(&j, "entry");
	json_bytes(&j, proof->extra.data, proof->extra.len);
	json_kv_uint(&j, "index", proof->index);
	json_kv_bool(&j, "ok", true);
	json_kv_str(&j, "origin", c->origin);
	json_key(&j, "root");
	json_hex(&j, c->root, SHA256_SIZE);
	json_kv_uint(&j, "size", c->size);
	json_end(&j);
	puts(buf_text(&out));
	return 0;
}

/* The log is one of the trust file's, and a quorum of its witnesses signed the checkpoint. */
static int
check_trust(const struct tlog_proof *proof, const struct note_key *key, const struct trust *trust,
	    struct err *err)
{
	bool signed_by[TRUST_MAX] = { false };
	struct note note;
	int rc;

	if (!trust_has_log(trust, key)) {
		return err_set(err, -EBADMSG, "the trust file does not name this log's key");
	}
	rc = note_parse(buf_text(&proof->checkpoint), proof->checkpoint.len, &note, err);

	for (size_t i = 0; rc == 0 && i < trust->witnesses; i++) {
		signed_by[i] = note_check(&note, &trust->witness[i].key, NULL) == 0;
	}
	return rc == 0 && !trust_is_met(trust, signed_by)
		     ? err_set(err, -EBADMSG,
			       "no quorum of the trust file's witnesses signed its checkpoint")
		     : rc;
}

static int
verify_receipt(const struct request *req, const char *path, const struct note_key *key,
	       const struct trust *trust)
{
	auto_tlog_proof proof = TLOG_PROOF_INIT;
	auto_buf text = BUF_INIT;
	struct checkpoint c;
	struct err err = ERR_INIT, why = ERR_INIT;
	int rc = fdio_slurp_at(AT_FDCWD, path, INPUT_MAX, &text);

	if (rc != 0) {
		ignore_err(err_sys(&err, rc, "read %s", path), "it is returned below");
		return commands_fail(EXIT_AIRLOCK, &err);
	}
	rc = tlog_proof_parse(buf_text(&text), text.len, &proof, &why);
	if (rc == 0) {
		rc = tlog_proof_check(&proof, key, &c, &why);
	}
	if (rc == 0 && trust != NULL) {
		rc = check_trust(&proof, key, trust, &why);
	}
	if (rc != 0) {
		ignore_err(err_set(&err, rc, "%s: %s", path, why.text), "it is returned below");
		return commands_fail(1, &err);
	}
	return print_receipt(req, &proof, &c);
}

/* ---- a store ------------------------------------------------------------------------------- */

static void
tell(void *arg, enum verify_kind kind, const char *where, const char *what)
{
	const struct request *req = arg;
	auto_buf out = BUF_INIT;
	struct json j;

	if (!req->json) {
		buf_puts(&out, kind == VERIFY_WRONG ? "WRONG " : "note  ");
		text_safe(&out, where, strlen(where), false);
		buf_puts(&out, ": ");
		text_safe(&out, what, strlen(what), false);
		puts(buf_text(&out));
		return;
	}
	json_init(&j, &out);
	json_begin_object(&j);
	json_kv_str(&j, "kind", kind == VERIFY_WRONG ? "wrong" : "note");
	json_key(&j, "what");
	json_bytes(&j, what, strlen(what));
	json_key(&j, "where");
	json_bytes(&j, where, strlen(where));
	json_end(&j);
	puts(buf_text(&out));
}

static void
print_result(const struct request *req, const struct verify_result *r)
{
	auto_buf out = BUF_INIT;
	struct json j;

	if (!req->json) {
		printf("%s: %llu entries, %llu calls, %llu objects; %llu wrong\n",
		       r->wrong == 0 ? "ok" : "NOT ok", (unsigned long long)r->entries,
		       (unsigned long long)r->calls, (unsigned long long)r->objects,
		       (unsigned long long)r->wrong);
		return;
	}
	json_init(&j, &out);
	json_begin_object(&j);
	json_kv_uint(&j, "calls", r->calls);
	json_kv_uint(&j, "entries", r->entries);
	json_kv_uint(&j, "forgotten", r->forgotten);
	json_kv_str(&j, "kind", "result");
	json_kv_uint(&j, "objects", r->objects);
	json_kv_bool(&j, "ok", r->wrong == 0);
	json_kv_uint(&j, "unsigned", r->unsigned_);
	json_kv_uint(&j, "witnessed", r->witnessed);
	json_kv_uint(&j, "witnessed_at", r->witnessed_at);
	json_kv_uint(&j, "wrong", r->wrong);
	json_end(&j);
	puts(buf_text(&out));
}

static int
verify_directory(struct request *req, const struct note_key *key, const struct trust *trust)
{
	auto_store store = STORE_INIT;
	struct verify_result result;
	struct err err = ERR_INIT;
	int rc = store_open_read(req->store, &store, &err);

	if (rc == 0) {
		rc = verify_store(&store, key, trust, tell, req, &result, &err);
	}
	if (rc != 0) {
		return commands_fail(rc == -ENOENT ? 1 : EXIT_AIRLOCK, &err);
	}
	print_result(req, &result);
	return result.wrong == 0 ? 0 : 1;
}

int
cmd_verify(int argc, char **argv)
{
	struct command_line cl = { .argc = argc, .argv = argv };
	struct request req = { .key = NULL };
	auto_free struct trust *trust = NULL;
	struct note_key key;
	struct err err = ERR_INIT;
	int rc = parse(&cl, &req);

	if (rc >= 0) {
		return rc;
	}
	rc = load_key(req.key, &key, &err);
	if (rc == 0 && req.policy != NULL) {
		trust = calloc(1, sizeof(*trust));
		rc = trust == NULL ? err_sys(&err, -ENOMEM, "read %s", req.policy)
				   : load_policy(req.policy, trust, &err);
	}
	if (rc != 0) {
		return commands_fail(EXIT_AIRLOCK, &err);
	}
	return req.store != NULL ? verify_directory(&req, &key, trust)
				 : verify_receipt(&req, cl.operand[0], &key, trust);
}
