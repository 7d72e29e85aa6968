/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view_dsse.c: the encoding that is signed (DSSE's own example), the signature, the statement to
 * the byte. Run by `make unit`.
 */
#include "view_fixture.h"

#include <errno.h>
#include <sys/stat.h>

#include "../../../launcher/cli/view_dsse.h"
#include "../../../launcher/snapshot/snapshot.h"
#include "telemetry_golden.h"

Test(view_dsse, pae_of_the_specification)
{
	auto_buf out = BUF_INIT;

	dsse_pae("http://example.com/HelloWorld", "hello world", 11, &out);
	cr_expect_str_eq(buf_text(&out), "DSSEv1 29 http://example.com/HelloWorld 11 hello world");
}

static struct change
make_file(const char *path, enum change_kind kind, mode_t mode, bool known)
{
	struct change c = { .path = (char *)(uintptr_t)path,
			    .kind = kind,
			    .mode_after = mode,
			    .after_known = known };

	memset(c.after, 0xc3, sizeof(c.after));
	return c;
}

static void
make_statement(struct buf *out)
{
	auto_record rec = make_record(TELEMETRY_PLANNED, TELEMETRY_OUTCOME);
	struct change items[] = {
		make_file("a \"b", CHANGE_CREATE, S_IFREG | 0644, true),
		make_file("d", CHANGE_CREATE, S_IFDIR | 0755, false),
		make_file("gone", CHANGE_DELETE, 0, false),
		make_file("link", CHANGE_CREATE, S_IFLNK | 0777, true),
		make_file("unread", CHANGE_MODIFY, S_IFREG | 0644, false),
		make_file("x\xff", CHANGE_REPLACE, S_IFREG | 0644, true),
	};
	const struct change_set set = { .items = items, .count = ARRAY_LEN(items) };

	buf_puts(&rec.outcome_text, TELEMETRY_OUTCOME);
	rec.planned_leaf = (struct record_leaf){ .is_there = true, .n = 40 };
	rec.outcome_leaf = (struct record_leaf){ .is_there = true, .n = 41 };
	cr_assert_eq(dsse_statement(&rec, &set, "host/airlock/1", out), 0);
}

#define ZERO8 "00000000"
#define ZERO64 ZERO8 ZERO8 ZERO8 ZERO8 ZERO8 ZERO8 ZERO8 ZERO8
#define C3_8 "c3c3c3c3"
#define C3_64 C3_8 C3_8 C3_8 C3_8 C3_8 C3_8 C3_8 C3_8
#define HEX3C_8 "3c3c3c3c"
#define HEX3C_64 HEX3C_8 HEX3C_8 HEX3C_8 HEX3C_8 HEX3C_8 HEX3C_8 HEX3C_8 HEX3C_8

Test(view_dsse, the_statement_to_the_byte)
{
	auto_buf out = BUF_INIT, want = BUF_INIT;
	uint8_t digest[SHA256_SIZE];
	char record[HEX_DIGEST_SIZE];

	sha256_of(TELEMETRY_OUTCOME, strlen(TELEMETRY_OUTCOME), digest);
	text_hex(digest, SHA256_SIZE, record);
	buf_puts(&want,
		 "{\"_type\":\"https://in-toto.io/Statement/v1\",\"predicate\":{\"actor\":{"
		 "\"gid\":1000,\"groups\":[],\"uid\":1000},\"call\":\"" VIEW_CALL "\","
		 "\"changes\":null,\"degraded\":null,\"ended\":1795648977001,\"entries\":{"
		 "\"call.outcome\":{\"digest\":\"" ZERO64 "\",\"index\":41},"
		 "\"call.planned\":{\"digest\":\"" ZERO64 "\",\"index\":40}},\"exit\":3,"
		 "\"held_as\":null,\"in_tree\":null,\"log\":\"host/airlock/1\","
		 "\"mode\":\"propose\",\"node\":{\"airlock\":\"0.1.0\",\"boot_id\":"
		 "\"7b2c25c7-ae7a-46a2-ad28-0e127d922fbe\",\"kernel\":\"6.1.0\"},"
		 "\"plan\":null,\"policy\":{\"decision\":\"allow\",\"digest\":null,"
		 "\"rules\":[]},\"profile\":{\"digest\":\"" HEX3C_64 "\",\"name\":\"python\"},");
	buf_puts(&want, "\"request\":null,\"seq\":4,\"settled\":\"held\",\"signal\":null,"
			"\"started\":1795648976642,\"tool\":\"/usr/bin/python3\","
			"\"verdict\":\"failed\",\"workflow\":"
			"\"0198c2a4-0000-7000-8000-000000000001\"},\"predicateType\":"
			"\"urn:airlock:call:v1\",\"subject\":[{\"digest\":{\"sha256\":\"");
	buf_puts(&want, record);
	buf_puts(&want, "\"},\"name\":\"record-outcome.json\"},"
			"{\"digest\":{\"sha256\":\"" C3_64 "\"},\"name\":\"out/a\\\\040\\\"b\"},"
			"{\"digest\":{\"sha256\":\"" C3_64 "\"},\"name\":\"out/x\\\\377\"}]}");
	make_statement(&out);
	cr_expect_str_eq(buf_text(&out), buf_text(&want));
}

Test(view_dsse, the_envelope_is_signed_over_the_pae)
{
	auto_note_signer signer = { .key.algorithm = 0 };
	auto_buf statement = BUF_INIT, out = BUF_INIT, pae = BUF_INIT, payload = BUF_INIT;
	auto_buf sig = BUF_INIT;
	struct err err = ERR_INIT;
	char keyid[9];
	json_t *envelope;
	const json_t *signature;

	cr_assert_eq(note_signer_generate("host/airlock/1", NOTE_ALGORITHM_ED25519, &signer, &err),
		     0, "%s", err.text);
	make_statement(&statement);
	cr_assert_eq(dsse_envelope(&statement, &signer, &out, &err), 0, "%s", err.text);
	envelope = parse_json(buf_text(&out));
	cr_expect_str_eq(record_text(envelope, "payloadType"), DSSE_PAYLOAD_TYPE);
	cr_assert_eq(text_unbase64(record_text(envelope, "payload"), &payload), 0);
	cr_expect_str_eq(buf_text(&payload), buf_text(&statement));
	cr_assert_eq(json_array_size(json_object_get(envelope, "signatures")), 1u);
	signature = json_array_get(json_object_get(envelope, "signatures"), 0);
	text_hex(signer.key.id, 4, keyid);
	cr_expect_str_eq(record_text(signature, "keyid"), keyid);
	cr_assert_eq(text_unbase64(record_text(signature, "sig"), &sig), 0);
	cr_assert_eq(sig.len, 64u);
	dsse_pae(DSSE_PAYLOAD_TYPE, statement.data, statement.len, &pae);
	cr_expect_eq(note_check_raw(&signer.key, pae.data, pae.len, sig.data), 0);
	cr_expect_eq(note_check_raw(&signer.key, statement.data, statement.len, sig.data),
		     -EBADMSG);
	json_decref(envelope);
}
