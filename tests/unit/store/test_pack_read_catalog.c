/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI. One walk over the packs, many objects. */
#include "store_temp.h"

#include "../../../launcher/store/pack_read_internal.h"

static const uint8_t workflow[16] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 };

#define auto_pack __attribute__((cleanup(pack_finish))) struct pack

/* Stores "FIRST" to "FIRST + count - 1" in the pack of that call. */
static void
store_numbers(struct store *s, uint8_t call_byte, unsigned int first, unsigned int count)
{
	auto_pack p = PACK_INIT;
	uint8_t call[16], digest[SHA256_SIZE];
	struct err err = ERR_INIT;

	memset(call, call_byte, sizeof(call));
	cr_assert_eq(pack_init(&p, s, workflow, call, &err), 0, "%s", err.text);
	for (unsigned int i = first; i < first + count; i++) {
		char text[16];

		snprintf(text, sizeof(text), "%u", i);
		cr_assert_eq(pack_put(&p, OBJECT_BLOB, text, strlen(text), digest, &err), 0);
	}
	cr_assert_eq(pack_sync(&p, &err), 0, "%s", err.text);
}

static int
get_number(struct pack_catalog *c, unsigned int number)
{
	auto_buf out = BUF_INIT;
	uint8_t digest[SHA256_SIZE];
	enum object_type type = OBJECT_RECORD;
	char text[16];
	int r;

	snprintf(text, sizeof(text), "%u", number);
	sha256_of(text, strlen(text), digest);
	r = pack_catalog_get(c, digest, &out, &type, NULL);
	if (r == 0) {
		cr_expect_str_eq(buf_text(&out), text);
		cr_expect_eq(type, OBJECT_BLOB);
	}
	return r;
}

Test(pack_read_catalog, finds_all_of_several_packs)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	struct pack_catalog *c = NULL;
	struct err err = ERR_INIT;

	cr_assert_eq(store_open_write(t.state, &s, &err), 0, "%s", err.text);
	store_numbers(&s, 2, 0, 700);
	store_numbers(&s, 3, 650, 100); /* nothing was published: fifty stand in both */
	cr_assert_eq(pack_catalog_create(&s, workflow, &c, &err), 0, "%s", err.text);
	cr_expect_eq(c->place_count, 800u);
	cr_expect_eq(c->name_count, 2u);
	for (unsigned int i = 0; i < 750; i++) {
		cr_expect_eq(get_number(c, i), 0, "%u", i);
	}
	cr_expect_eq(get_number(c, 750), -ENOENT);
	/* what is stored later is another catalog's */
	store_numbers(&s, 4, 750, 1);
	cr_expect_eq(get_number(c, 750), -ENOENT);
	pack_catalog_destroy(c);
	cr_assert_eq(pack_catalog_create(&s, workflow, &c, &err), 0, "%s", err.text);
	cr_expect_eq(get_number(c, 750), 0);
	pack_catalog_destroy(c);
}

Test(pack_read_catalog, a_workflow_that_stored_nothing)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	struct pack_catalog *c = NULL;
	struct err err = ERR_INIT;
	size_t count = 9;
	uint8_t digest[SHA256_SIZE] = { 7 };

	cr_assert_eq(store_open_write(t.state, &s, &err), 0, "%s", err.text);
	cr_assert_eq(pack_catalog_create(&s, workflow, &c, &err), 0, "%s", err.text);
	cr_expect_null(pack_catalog_find(c, digest, &count));
	cr_expect_eq(count, 0u);
	cr_expect_eq(get_number(c, 1), -ENOENT);
	pack_catalog_destroy(c);
	pack_catalog_destroy(NULL);
}
