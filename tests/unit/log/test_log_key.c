/* SPDX-License-Identifier: Apache-2.0 */
/* log_key.c: the private key of a log. Run by `make unit`. */
#include "log_world.h"

/* The signer's PEM in a file of that mode. */
static void
put_key(int dirfd, const char *path, const struct note_signer *signer, mode_t mode)
{
	auto_buf pem = BUF_INIT;
	struct err err = ERR_INIT;

	cr_assert_eq(note_signer_print(signer, &pem, &err), 0);
	cr_assert_eq(fdio_replace_at(dirfd, path, pem.data, pem.len, mode), 0);
}

Test(log_key, is_made_once_for_the_owner_alone)
{
	auto_world w = world_make();
	auto_note_signer made = { .key.algorithm = 0 }, again = made, read = made;
	auto_free char *path = NULL;
	struct err err = ERR_INIT;
	char expected[128];
	struct stat st;

	cr_expect_eq(log_key_load(&w.store, NULL, &read, NULL, &err), -ENOENT);
	cr_expect_eq(log_key_load(&w.store, "", &read, NULL, &err), -ENOENT);
	umask(0);
	cr_assert_eq(log_key_make(&w.store, NULL, ORIGIN, &made, &err), 0, "%s", err.text);
	cr_expect_str_eq(made.key.name, ORIGIN);
	cr_expect_eq(fstatat(w.store.dir_fd, LOG_KEY_FILE, &st, 0), 0);
	cr_expect_eq(st.st_mode & 07777, 0600);
	cr_expect_not(is_there(&w, LOG_KEY_FILE ".new"), "nothing of it stays elsewhere");
	cr_expect_eq(log_key_make(&w.store, NULL, "another", &again, &err), -EEXIST);
	cr_expect_str_eq(err.text, "this log has a key: " ORIGIN);
	cr_assert_eq(log_key_load(&w.store, NULL, &read, &path, &err), 0, "%s", err.text);
	cr_expect_arr_eq(read.seed, made.seed, sizeof(made.seed));
	cr_expect(note_key_equal(&read.key, &made.key), "the same key");
	snprintf(expected, sizeof(expected), "%s/log.key", state_dir);
	cr_expect_str_eq(path, expected);
	cr_expect(log_key_is_file(&w.store, path), "it is the file");
}

Test(log_key, has_the_hosts_name_unless_another_is_given)
{
	auto_world w = world_make();
	auto_note_signer made = { .key.algorithm = 0 };
	struct err err = ERR_INIT;
	const char *middle;

	cr_assert_eq(log_key_make(&w.store, NULL, NULL, &made, &err), 0, "%s", err.text);
	middle = strstr(made.key.name, "/airlock/");
	cr_assert_not_null(middle, "%s", made.key.name);
	cr_expect_gt(middle, made.key.name);
	cr_expect_eq(strlen(middle), strlen("/airlock/") + 8, "%s", made.key.name);
	cr_expect_eq(strspn(middle + 9, "0123456789abcdef"), 8, "%s", made.key.name);
}

Test(log_key, a_name_that_is_none_makes_no_key)
{
	static const char *const names[] = { "", "two words", "a+b", "a\nb", "\xff" };
	auto_world w = world_make();
	auto_note_signer made = { .key.algorithm = 0 };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct err err = ERR_INIT;

		cr_expect_eq(log_key_make(&w.store, NULL, names[i], &made, &err), -EINVAL,
			     "row %zu", i);
		cr_expect_not(is_there(&w, LOG_KEY_FILE), "row %zu", i);
	}
}

Test(log_key, others_can_neither_read_nor_write_it)
{
	static const struct {
		mode_t mode;
		int code;
	} rows[] = {
		{ 0600, 0 },	  { 0400, 0 },	    { 0700, 0 },      { 0640, -EPERM },
		{ 0604, -EPERM }, { 0620, -EPERM }, { 0602, -EPERM }, { 0666, -EPERM },
	};
	auto_world w = world_make();
	auto_note_signer made = { .key.algorithm = 0 }, read = made;

	make_signer(ORIGIN, &made);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = ERR_INIT;

		put_key(w.store.dir_fd, LOG_KEY_FILE, &made, rows[i].mode);
		cr_expect_eq(log_key_load(&w.store, NULL, &read, NULL, &err), rows[i].code,
			     "%04o: %s", (unsigned int)rows[i].mode, err.text);
		if (rows[i].code != 0) {
			cr_expect_not_null(strstr(err.text, "chmod 0600 it"), "%s", err.text);
		}
	}
}

/* As systemd hands a credential to the user of a service: root's, with an ACL for that user. */
Test(log_key, an_acl_s_mask_is_no_group)
{
	auto_world w = world_make();
	auto_note_signer made = { .key.algorithm = 0 }, read = made;
	struct err err = ERR_INIT;

	if (geteuid() != 0) {
		cr_skip_test("only root gives files away");
	}
	make_signer(ORIGIN, &made);
	put_key(w.store.dir_fd, LOG_KEY_FILE, &made, 0440);
	cr_assert_eq(fchownat(w.store.dir_fd, LOG_KEY_FILE, 0, 0, 0), 0);
	cr_expect_eq(log_key_load(&w.store, NULL, &read, NULL, &err), 0, "%s", err.text);
	cr_assert_eq(fchownat(w.store.dir_fd, LOG_KEY_FILE, 0, 4321, 0), 0);
	cr_expect_eq(log_key_load(&w.store, NULL, &read, NULL, &err), -EPERM);
}

Test(log_key, of_another_user_it_is_refused)
{
	auto_world w = world_make();
	auto_note_signer made = { .key.algorithm = 0 }, read = made;
	struct err err = ERR_INIT;

	if (geteuid() != 0) {
		cr_skip_test("only root gives files away");
	}
	make_signer(ORIGIN, &made);
	put_key(w.store.dir_fd, LOG_KEY_FILE, &made, 0600);
	cr_assert_eq(fchownat(w.store.dir_fd, LOG_KEY_FILE, 4321, 0, 0), 0);
	cr_expect_eq(log_key_load(&w.store, NULL, &read, NULL, &err), -EPERM);
	cr_expect_not_null(strstr(err.text, "belongs to uid 4321, not to you (0)"), "%s", err.text);
}

Test(log_key, what_is_no_file_is_refused_and_never_waited_for)
{
	auto_world w = world_make();
	auto_note_signer read = { .key.algorithm = 0 };
	struct err err = ERR_INIT;

	cr_assert_eq(mkfifoat(w.store.dir_fd, LOG_KEY_FILE, 0600), 0);
	cr_expect_eq(log_key_load(&w.store, NULL, &read, NULL, &err), -EPERM);
	cr_expect_not_null(strstr(err.text, "is not a regular file"), "%s", err.text);
	cr_assert_eq(unlinkat(w.store.dir_fd, LOG_KEY_FILE, 0), 0);
	cr_assert_eq(symlinkat("index.lock", w.store.dir_fd, LOG_KEY_FILE), 0);
	cr_expect_eq(log_key_load(&w.store, NULL, &read, NULL, &err), -ELOOP);
	cr_assert_eq(unlinkat(w.store.dir_fd, LOG_KEY_FILE, 0), 0);
	put_file(&w, LOG_KEY_FILE, "no key", 6);
	cr_expect_eq(log_key_load(&w.store, NULL, &read, NULL, &err), -EINVAL);
	cr_expect_null(strstr(err.text, "no key"), "what stands in it is not shown: %s", err.text);
}

Test(log_key, a_credential_comes_before_the_file)
{
	auto_world w = world_make();
	auto_note_signer credential = { .key.algorithm = 0 }, file = credential, read = credential;
	auto_free char *path = NULL;
	struct err err = ERR_INIT;
	char dir[96];

	snprintf(dir, sizeof(dir), "%s/credentials", state_dir);
	cr_assert_eq(mkdir(dir, 0700), 0);
	make_key(&w);
	cr_assert_eq(log_key_load(&w.store, dir, &file, &path, &err), 0, "without one: the file");
	cr_expect(log_key_is_file(&w.store, path), "%s", path);
	free(take_ptr(path));
	make_signer("credential.example", &credential);
	put_key(w.store.dir_fd, "credentials/" LOG_KEY_CREDENTIAL, &credential, 0400);
	cr_assert_eq(log_key_load(&w.store, dir, &read, &path, &err), 0, "%s", err.text);
	cr_expect(note_key_equal(&read.key, &credential.key), "the credential's");
	cr_expect_not(log_key_is_file(&w.store, path), "%s", path);
	/* one that must not be used is no reason to take the other */
	put_key(w.store.dir_fd, "credentials/" LOG_KEY_CREDENTIAL, &credential, 0644);
	cr_expect_eq(log_key_load(&w.store, dir, &read, NULL, &err), -EPERM);
}

Test(log_key, with_a_credential_none_is_made)
{
	auto_world w = world_make();
	auto_note_signer credential = { .key.algorithm = 0 }, made = credential;
	struct err err = ERR_INIT;
	char dir[96];

	snprintf(dir, sizeof(dir), "%s/credentials", state_dir);
	cr_assert_eq(mkdir(dir, 0700), 0);
	make_signer("credential.example", &credential);
	put_key(w.store.dir_fd, "credentials/" LOG_KEY_CREDENTIAL, &credential, 0400);
	cr_expect_eq(log_key_make(&w.store, dir, ORIGIN, &made, &err), -EEXIST);
	cr_expect_not(is_there(&w, LOG_KEY_FILE), "there is one already");
}

Test(log_key, the_public_key_is_published_for_all)
{
	auto_world w = world_make();
	auto_note_signer made = { .key.algorithm = 0 };
	auto_buf expected = BUF_INIT, there = BUF_INIT;
	struct err err = ERR_INIT;
	struct stat st, again;

	make_signer(ORIGIN, &made);
	cr_assert_eq(log_key_publish(&w.store, &made.key, &err), 0, "%s", err.text);
	note_key_print(&made.key, &expected);
	buf_putc(&expected, '\n');
	cr_assert_eq(fdio_slurp_at(w.store.dir_fd, LOG_VKEY_FILE, 4096, &there), 0);
	cr_expect_str_eq(buf_text(&there), buf_text(&expected));
	cr_expect_eq(fstatat(w.store.dir_fd, LOG_VKEY_FILE, &st, 0), 0);
	cr_expect_eq(st.st_mode & 07777, 0644);
	cr_assert_eq(log_key_publish(&w.store, &made.key, &err), 0);
	cr_expect_eq(fstatat(w.store.dir_fd, LOG_VKEY_FILE, &again, 0), 0);
	cr_expect_eq(again.st_ino, st.st_ino, "the same is not written again");
}

Test(log_key, both_keys_sign_this_text)
{
	struct note_key old = { .name = "old.example", .algorithm = NOTE_ALGORITHM_ED25519 };
	struct note_key next = { .name = "old.example", .algorithm = NOTE_ALGORITHM_ED25519 };
	auto_buf text = BUF_INIT;

	memset(next.pub, 1, sizeof(next.pub));
	log_key_rotation_text(&old, &next, &text);
	cr_expect_str_eq(buf_text(&text),
			 "airlock key rotation v1\nold.example\n"
			 "old.example+00000000+AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
			 "old.example+00000000+AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB\n");
}
