/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view_export.c: what a record and its objects say is written below one directory and nowhere else.
 * Run by `make unit`. The names are what a hostile tool, or a forged store, would give.
 */
#include "../store/store_temp.h"
#include "view_fixture.h"

#include "../../../launcher/cli/view_export.h"
#include "../../../launcher/snapshot/dirobj.h"

#define WORKFLOW_1 "0198c2a4-0000-7000-8000-000000000001"

struct world {
	struct temp temp; /* base/state: the store; base/out: the export; base/outside: a canary */
	struct store store;
	struct pack pack;
	struct reading reading;
	char out[96], outside[96];
};

static void
world_make(struct world *w)
{
	uint8_t call[16] = { 0 }, workflow[16];
	struct err err = ERR_INIT;

	*w = (struct world){
		.temp = temp_make(), .store = STORE_INIT, .pack = PACK_INIT, .reading = READING_INIT
	};
	snprintf(w->out, sizeof(w->out), "%s/out", w->temp.base);
	snprintf(w->outside, sizeof(w->outside), "%s/outside", w->temp.base);
	cr_assert_eq(mkdir(w->outside, 0700), 0);
	cr_assert_eq(store_open_write(w->temp.state, &w->store, &err), 0, "%s", err.text);
	cr_assert_eq(text_uuid_parse(WORKFLOW_1, workflow), 0);
	cr_assert_eq(pack_init(&w->pack, &w->store, workflow, call, &err), 0, "%s", err.text);
}

static void
put_object(struct world *w, enum object_type type, const struct buf *b, uint8_t digest[SHA256_SIZE],
	   char hex[HEX_DIGEST_SIZE])
{
	struct err err = ERR_INIT;

	cr_assert_eq(pack_put(&w->pack, type, b->data, b->len, digest, &err), 0, "%s", err.text);
	text_hex(digest, SHA256_SIZE, hex);
}

static void
put_text(struct world *w, const char *text, uint8_t digest[SHA256_SIZE], char hex[HEX_DIGEST_SIZE])
{
	auto_buf b = BUF_INIT;

	buf_puts(&b, text);
	put_object(w, OBJECT_BLOB, &b, digest, hex);
}

/* The packs are whole, the export's directory is open. */
static void
export_setup(struct world *w, struct record *rec, struct export *x)
{
	struct err err = ERR_INIT;

	cr_assert_eq(pack_sync(&w->pack, &err), 0, "%s", err.text);
	cr_assert_eq(text_uuid_parse(WORKFLOW_1, rec->workflow), 0);
	cr_assert_eq(store_open_read(w->temp.state, &w->reading.store, &err), 0, "%s", err.text);
	cr_assert_eq(export_open(x, w->out, &err), 0, "%s", err.text);
}

/* Exports the call with that outcome; MANIFEST's text. */
static void export(struct world *w, const char *outcome, struct buf *manifest)
{
	auto_record rec = make_record("{}", outcome);
	auto_export x = EXPORT_INIT;
	struct err err = ERR_INIT;
	auto_buf file = BUF_INIT;

	export_setup(w, &rec, &x);
	cr_expect_eq(export_trees(&x, &w->reading, &rec, &err), 0, "%s", err.text);
	cr_assert_eq(export_close(&x, &err), 0, "%s", err.text);
	cr_assert_eq(fdio_slurp_at(x.root_fd, "MANIFEST", 1u << 20, &file), 0);
	buf_put(manifest, file.data, file.len);
}

static void
world_finish(struct world *w)
{
	reading_finish(&w->reading);
	pack_finish(&w->pack);
	store_finish(&w->store);
	temp_finish(&w->temp);
}

static bool
exists(const struct world *w, const char *name)
{
	char path[512];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", w->temp.base, name);
	return lstat(path, &st) == 0;
}

static void
expect_file(const struct world *w, const char *name, const char *content, mode_t mode)
{
	char path[512];
	auto_buf b = BUF_INIT;
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", w->out, name);
	cr_assert_eq(lstat(path, &st), 0, "%s", path);
	cr_expect_eq(st.st_mode, S_IFREG | mode, "%s", name);
	cr_assert_eq(fdio_slurp_at(AT_FDCWD, path, 1u << 20, &b), 0);
	cr_expect_str_eq(buf_text(&b), content);
}

static void
expect_note(const struct buf *manifest, const char *note)
{
	cr_expect_not_null(strstr(buf_text(manifest), note), "%s in %s", note, buf_text(manifest));
}

/* With a comma behind it. */
static void
put_change(struct buf *b, const char *path, const char *kind, mode_t mode, const char *after)
{
	buf_printf(b, "{\"path\":\"%s\",\"kind\":\"%s\",\"mode_after\":%u,\"after\":", path, kind,
		   mode);
	buf_printf(b, after != NULL ? "\"%s\"}," : "null},", after);
}

Test(view_export, changes_stay_below_out)
{
	struct world w;
	uint8_t digest[SHA256_SIZE];
	char hex[HEX_DIGEST_SIZE], link_hex[HEX_DIGEST_SIZE];
	auto_buf outcome = BUF_INIT, manifest = BUF_INIT;

	world_make(&w);
	put_text(&w, "x\n", digest, hex);
	put_text(&w, w.outside, digest, link_hex);
	buf_puts(&outcome, "{\"changes\":{\"items\":[");
	put_change(&outcome, "../outside/up", "create", 0100644, hex);
	put_change(&outcome, "/tmp/abs", "create", 0100644, hex);
	put_change(&outcome, "a//b", "create", 0100644, hex);
	put_change(&outcome, "a/./b", "create", 0100644, hex);
	put_change(&outcome, "a/..", "create", 0100644, hex);
	put_change(&outcome, "d/f", "create", 0106755, hex); /* setuid, setgid */
	put_change(&outcome, "dev", "create", 060000, NULL);
	/* a link, then a file below it: the tool's link must not be walked through */
	put_change(&outcome, "link", "create", 0120777, link_hex);
	put_change(&outcome, "link/f", "create", 0100644, hex);
	put_change(&outcome, "none", "create", 0100644, NULL);
	buf_puts(&outcome, "{\"path\":\"old\",\"kind\":\"delete\",\"after\":null}]}}");
	export(&w, buf_text(&outcome), &manifest);
	expect_file(&w, "out/d/f", "x\n", 0755);
	expect_note(&manifest, "# refused name: out/../outside/up\n");
	expect_note(&manifest, "# refused name: out//tmp/abs\n");
	expect_note(&manifest, "# refused name: out/a//b\n");
	expect_note(&manifest, "# refused name: out/a/./b\n");
	expect_note(&manifest, "# refused name: out/a/..\n");
	expect_note(&manifest, "# refused name: out/link/f\n");
	expect_note(&manifest, "# special file: out/dev\n");
	expect_note(&manifest, "# not captured: out/none\n");
	expect_note(&manifest, "# deleted: out/old\n");
	cr_expect_eq(exists(&w, "outside/up"), false);
	cr_expect_eq(exists(&w, "outside/f"), false);
	cr_expect_eq(exists(&w, "out/out/link"), true);
	world_finish(&w);
}

/* A hook in out/ would run by the git of a shell's prompt. */
Test(view_export, what_is_held_has_no_name)
{
	static const char *const paths[] = { ".git/hooks/post-commit", ".envrc" };
	struct world w;
	uint8_t digest[SHA256_SIZE];
	char hex[HEX_DIGEST_SIZE], name[80], note[160];
	auto_buf outcome = BUF_INIT, manifest = BUF_INIT;

	world_make(&w);
	put_text(&w, "x\n", digest, hex);
	buf_puts(&outcome, "{\"changes\":{\"items\":[");
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		buf_printf(&outcome,
			   "{\"path\":\"%s\",\"kind\":\"create\",\"mode_after\":33261,"
			   "\"after\":\"%s\",\"hold\":\"built-in: x\"},",
			   paths[i], hex);
	}
	buf_printf(&outcome,
		   "{\"path\":\"l\",\"kind\":\"create\",\"mode_after\":41471,\"after\":\"%s\","
		   "\"hold\":\"link out of the workspace\"},",
		   hex);
	buf_puts(&outcome, "{\"path\":\"old\",\"kind\":\"delete\",\"after\":null}]}}");
	export(&w, buf_text(&outcome), &manifest);
	snprintf(name, sizeof(name), "held/%s", hex);
	expect_file(&w, name, "x\n", 0600);
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		snprintf(note, sizeof(note), "# held: out/%s %s\n", paths[i], name);
		expect_note(&manifest, note);
	}
	snprintf(note, sizeof(note), "# held: out/l %s\n", hex);
	expect_note(&manifest, note);
	cr_expect_eq(exists(&w, "out/out/.git"), false);
	cr_expect_eq(exists(&w, "out/out/.envrc"), false);
	cr_expect_eq(exists(&w, "out/out/l"), false);
	world_finish(&w);
}

static void
add_entry(struct buf *b, mode_t mode, const char *name, const uint8_t *digest, const char *target)
{
	const struct dirobj_entry e = { .mode = mode,
					.size = 2,
					.digest = digest,
					.name = name,
					.target = target,
					.xattrs = "" };

	dirobj_add(b, &e);
}

Test(view_export, the_input_tree_stays_below_in)
{
	struct world w;
	uint8_t file[SHA256_SIZE], sub_digest[SHA256_SIZE], root_digest[SHA256_SIZE];
	char hex[HEX_DIGEST_SIZE];
	auto_buf sub = BUF_INIT, root = BUF_INIT, outcome = BUF_INIT, manifest = BUF_INIT;

	world_make(&w);
	put_text(&w, "x\n", file, hex);
	dirobj_begin(&sub);
	add_entry(&sub, S_IFREG | 0400, "f", file, NULL);
	put_object(&w, OBJECT_DIRECTORY, &sub, sub_digest, hex);
	dirobj_begin(&root);
	add_entry(&root, S_IFDIR | 0700, "..", sub_digest, NULL);
	add_entry(&root, S_IFLNK | 0777, "link", NULL, w.outside);
	add_entry(&root, S_IFIFO | 0644, "pipe", NULL, NULL);
	add_entry(&root, S_IFDIR | 0500, "sub", sub_digest, NULL);
	put_object(&w, OBJECT_DIRECTORY, &root, root_digest, hex);
	buf_printf(&outcome, "{\"in_tree\":{\"digest\":\"%s\"}}", hex);
	export(&w, buf_text(&outcome), &manifest);
	cr_expect_eq(exists(&w, "f"), false);
	cr_expect_eq(exists(&w, "out/f"), false);
	expect_note(&manifest, "# special file: in/pipe\n");
	expect_note(&manifest, "# link: in/link ");
	expect_note(&manifest, "# refused name: in/..\n");
	expect_file(&w, "in/sub/f", "x\n", 0400);
	world_finish(&w);
}

Test(view_export, a_directory_object_with_a_path_in_it_is_refused)
{
	struct world w;
	uint8_t digest[SHA256_SIZE];
	char hex[HEX_DIGEST_SIZE];
	auto_buf root = BUF_INIT, outcome = BUF_INIT;
	auto_record rec = RECORD_INIT;
	auto_export x = EXPORT_INIT;
	struct err err = ERR_INIT;

	world_make(&w);
	put_text(&w, "x\n", digest, hex);
	dirobj_begin(&root);
	add_entry(&root, S_IFREG | 0644, "../outside/up", digest, NULL);
	put_object(&w, OBJECT_DIRECTORY, &root, digest, hex);
	buf_printf(&outcome, "{\"in_tree\":{\"digest\":\"%s\"}}", hex);
	rec = make_record("{}", buf_text(&outcome));
	export_setup(&w, &rec, &x);
	cr_expect_eq(export_trees(&x, &w.reading, &rec, &err), -EBADMSG);
	cr_expect_str_eq(err.text, "export in: Bad message");
	cr_expect_eq(exists(&w, "outside/up"), false);
	export_finish(&x);
	world_finish(&w);
}

Test(view_export, only_a_new_or_an_empty_directory)
{
	struct world w;
	char path[256];

	world_make(&w);
	for (int round = 0; round < 3; round++) {
		auto_export x = EXPORT_INIT;
		auto_buf content = BUF_INIT;
		struct err err = ERR_INIT;
		int rc = export_open(&x, w.out, &err);

		cr_expect_eq(rc, round < 2 ? 0 : -ENOTEMPTY, "round %d: %s", round, err.text);
		if (round == 1) {
			buf_puts(&content, "one");
			cr_expect_eq(export_bytes(&x, x.root_fd, "f", "f", 0644, &content, &err),
				     0);
			cr_expect_eq(export_bytes(&x, x.root_fd, "f", "f", 0644, &content, &err),
				     -EEXIST);
		}
	}
	snprintf(path, sizeof(path), "%s/f", w.out);
	cr_expect_eq(access(path, F_OK), 0);
	world_finish(&w);
}

Test(view_export, a_planted_link_is_not_written_through)
{
	struct world w;
	auto_export x = EXPORT_INIT;
	auto_buf content = BUF_INIT;
	struct err err = ERR_INIT;
	char target[256];

	world_make(&w);
	cr_assert_eq(export_open(&x, w.out, &err), 0);
	snprintf(target, sizeof(target), "%s/victim", w.outside);
	cr_assert_eq(symlinkat(target, x.root_fd, "stdout"), 0);
	buf_puts(&content, "one");
	cr_expect_eq(export_bytes(&x, x.root_fd, "stdout", "stdout", 0644, &content, &err),
		     -EEXIST);
	cr_expect_eq(exists(&w, "outside/victim"), false);
	export_finish(&x);
	world_finish(&w);
}

Test(view_export, names_in_the_manifest_as_sha256sum_spells_them)
{
	static const struct {
		const char *name, *line;
	} rows[] = {
		{ "plain", "  plain\n" },
		{ "a\\b", "  a\\\\b\n" },
		{ "a\nb", "  a\\nb\n" },
		{ "a\rb", "  a\\rb\n" },
	};
	struct world w;
	auto_export x = EXPORT_INIT;
	auto_buf content = BUF_INIT;
	struct err err = ERR_INIT;

	world_make(&w);
	cr_assert_eq(export_open(&x, w.out, &err), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t from = x.manifest.len;

		cr_assert_eq(export_bytes(&x, x.root_fd, rows[i].name, rows[i].name, 0644, &content,
					  &err),
			     0);
		cr_expect_not_null(strstr(buf_text(&x.manifest) + from, rows[i].line), "row %zu",
				   i);
		cr_expect_eq(buf_text(&x.manifest)[from] == '\\', i > 0, "row %zu", i);
	}
	cr_expect_eq(x.files, ARRAY_LEN(rows));
	export_finish(&x);
	world_finish(&w);
}
