/* SPDX-License-Identifier: Apache-2.0 */
/* Runs in airlock-cli as the caller. Names of files are the tool's: in vis octal, within JSON. */
#include "view_dsse.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "../snapshot/snapshot.h"

/* ---- subjects: what came out, by the names that `export --to` gives it ----------------------- */

static int
add_subject(json_t *list, const char *name, const char *hex)
{
	return json_array_append_new(
		       list, json_pack("{s:s,s:{s:s}}", "name", name, "digest", "sha256", hex)) == 0
		     ? 0
		     : -ENOMEM;
}

static int
add_files(json_t *list, const struct change_set *set)
{
	char hex[HEX_DIGEST_SIZE];
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < set->count; i++) {
		const struct change *c = &set->items[i];
		auto_buf name = BUF_INIT;

		if (!S_ISREG(c->mode_after) || !c->after_known) {
			continue;
		}
		buf_puts(&name, "out/");
		text_vis(&name, c->path, strlen(c->path));
		text_hex(c->after, SHA256_SIZE, hex);
		rc = buf_error(&name) != 0 ? -ENOMEM : add_subject(list, buf_text(&name), hex);
	}
	return rc;
}

static int
add_streams(json_t *list, const struct record *rec)
{
	static const char *const streams[] = { "stdout", "stderr" };
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < ARRAY_LEN(streams); i++) {
		const json_t *stream = json_object_get(rec->outcome, streams[i]);

		if (record_number(stream, "bytes") > 0) {
			rc = add_subject(list, streams[i], record_text(stream, "digest"));
		}
	}
	return rc;
}

/* The record itself is one: there is always something that the statement is about. */
static json_t *
make_subjects(const struct record *rec, const struct change_set *set)
{
	uint8_t digest[SHA256_SIZE];
	char hex[HEX_DIGEST_SIZE];
	json_t *list = json_array();
	int rc = list != NULL ? 0 : -ENOMEM;

	sha256_of(rec->outcome_text.data, rec->outcome_text.len, digest);
	text_hex(digest, SHA256_SIZE, hex);
	rc = rc == 0 ? add_subject(list, "record-outcome.json", hex) : rc;
	rc = rc == 0 ? add_streams(list, rec) : rc;
	rc = rc == 0 ? add_files(list, set) : rc;
	if (rc != 0) {
		json_decref(list);
		return NULL;
	}
	return list;
}

/* ---- the predicate ------------------------------------------------------------------------ */

static json_t *
make_entry(const struct record_leaf *leaf)
{
	char hex[HEX_DIGEST_SIZE];

	text_hex(leaf->digest, SHA256_SIZE, hex);
	return json_pack("{s:s,s:I}", "digest", hex, "index", (json_int_t)leaf->n);
}

/* Members that are as in the record; a dot leads into an object. */
static const struct {
	const char *name;
	bool is_planned;
	const char *from;
} members[] = {
	{ "actor", true, "actor" },
	{ "changes", false, "changes.digest" },
	{ "degraded", false, "degraded" },
	{ "ended", false, "t1" },
	{ "exit", false, "exit" },
	{ "held_as", false, "held_as" },
	{ "in_tree", false, "in_tree.digest" },
	{ "mode", true, "mode" },
	{ "node", true, "node" },
	{ "plan", true, "plan_digest" },
	{ "policy", true, "policy" },
	{ "request", true, "request_digest" },
	{ "seq", true, "seq" },
	{ "signal", false, "signal" },
	{ "started", true, "t0" },
	{ "tool", true, "tool" },
	{ "verdict", false, "verdict" },
	{ "workflow", true, "workflow" },
};

static json_t *
make_predicate(const struct record *rec, const char *origin)
{
	json_t *p =
		json_pack("{s:s,s:s,s:{s:o,s:o},s:s,s:{s:s,s:s}}", "call", rec->id, "log", origin,
			  "entries", "call.planned", make_entry(&rec->planned_leaf), "call.outcome",
			  make_entry(&rec->outcome_leaf), "settled", record_settled(rec), "profile",
			  "name", record_text(rec->planned, "profile.name"), "digest",
			  record_text(rec->planned, "profile.digest"));

	for (size_t i = 0; p != NULL && i < ARRAY_LEN(members); i++) {
		const json_t *value = record_get(
			members[i].is_planned ? rec->planned : rec->outcome, members[i].from);
		json_t *copy =
			value != NULL ? json_incref((json_t *)(uintptr_t)value) : json_null();

		if (json_object_set_new(p, members[i].name, copy) != 0) {
			json_decref(p);
			return NULL;
		}
	}
	return p;
}

int
dsse_statement(const struct record *rec, const struct change_set *set, const char *origin,
	       struct buf *out)
{
	return record_put_json(json_pack("{s:s,s:o,s:s,s:o}", "_type",
					 "https://in-toto.io/Statement/v1", "predicate",
					 make_predicate(rec, origin), "predicateType",
					 DSSE_PREDICATE_TYPE, "subject", make_subjects(rec, set)),
			       out);
}

/* ---- the envelope ------------------------------------------------------------------------- */

void
dsse_pae(const char *type, const void *body, size_t len, struct buf *out)
{
	buf_printf(out, "DSSEv1 %zu %s %zu ", strlen(type), type, len);
	buf_put(out, body, len);
}

int
dsse_envelope(const struct buf *statement, const struct note_signer *signer, struct buf *out,
	      struct err *err)
{
	auto_buf signed_bytes = BUF_INIT, payload = BUF_INIT, sig_text = BUF_INIT;
	char keyid[2 * sizeof(signer->key.id) + 1];
	uint8_t sig[64];
	int rc;

	dsse_pae(DSSE_PAYLOAD_TYPE, statement->data, statement->len, &signed_bytes);
	rc = buf_error(&signed_bytes) != 0
		   ? err_sys(err, -ENOMEM, "sign a statement")
		   : note_sign_raw(signer, signed_bytes.data, signed_bytes.len, sig, err);
	if (rc != 0) {
		return rc;
	}
	text_base64(&payload, statement->data, statement->len);
	text_base64(&sig_text, sig, sizeof(sig));
	text_hex(signer->key.id, sizeof(signer->key.id), keyid);
	rc = record_put_json(json_pack("{s:s,s:s,s:[{s:s,s:s}]}", "payload", buf_text(&payload),
				       "payloadType", DSSE_PAYLOAD_TYPE, "signatures", "keyid",
				       keyid, "sig", buf_text(&sig_text)),
			     out);
	buf_putc(out, '\n');
	return rc == 0 ? buf_error(out) : rc;
}
