/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `airlock creds check`: whether what the manifests say is there, and opens. Runs in airlock-cli as
 * the caller; values are opened in processes of their own (cmd_creds_open.c).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../base/fdio.h"
#include "../base/text.h"
#include "../bundle/bundle_identity.h"
#include "cmd_creds.h"
#include "commands.h"

struct check {
	struct creds *c;
	int identity_fd; /* owned; -1: none, and identity_err says why */
	struct err identity_err;
	unsigned int bad;
};

/* "ok acme/gh: text", "bad acme: text". */
static void
tell(struct check *k, const char *word, const char *bundle, const char *item, const char *text)
{
	auto_buf safe = BUF_INIT;

	text_safe(&safe, text, strlen(text), false);
	printf("%-4s%s%s%s: %s\n", word, bundle, item != NULL ? "/" : "", item != NULL ? item : "",
	       buf_text(&safe));
	k->bad += strcmp(word, "bad") == 0 ? 1 : 0;
}

/* ---- one item -------------------------------------------------------------------------------- */

static int
check_sealed(struct check *k, const struct bundle_item *item, struct err *err)
{
	const struct sealed_place place = { k->c->at.bundle.name, item->name, item->version };
	auto_fd fd = -1;
	int rc = bundle_open_item(&k->c->at, item, &fd, err);

	if (rc < 0) {
		return rc;
	}
	if (k->identity_fd < 0) {
		return err_set(err, k->identity_err.code, "%s", k->identity_err.text);
	}
	rc = creds_try_open(&place, item->deliver, fd, k->identity_fd, err);
	if (rc < 0) {
		auto_buf name = BUF_INIT;

		bundle_item_file(item->name, item->version, &name);
		err_prefix(err, "%s/%s", k->c->at.path, buf_text(&name));
	}
	return rc;
}

static int
check_file(struct check *k, const struct bundle_item *item, struct err *err)
{
	const struct sealed_place place = { k->c->at.bundle.name, item->name, 0 };
	auto_fd fd = -1;
	struct stat st;
	int rc = bundle_open_item(&k->c->at, item, &fd, err);

	if (rc == 0 && fstat(fd, &st) < 0) {
		rc = err_sys(err, -errno, "%s", item->path);
	}
	if (rc == 0 && (st.st_size == 0 || (uint64_t)st.st_size > CAP_VALUE)) {
		rc = err_set(err, -EINVAL, "%s has %lld bytes; from 1 to %u may be", item->path,
			     (long long)st.st_size, CAP_VALUE);
	}
	/* only of a key there is more to say, and a process that reads it for that */
	if (rc == 0 && item->deliver == BUNDLE_DELIVER_SSH_AGENT) {
		rc = creds_try_open(&place, item->deliver, fd, fd, err);
		if (rc < 0) {
			err_prefix(err, "%s", item->path);
		}
	}
	return rc;
}

static void
check_item(struct check *k, const struct bundle_item *item)
{
	const char *bundle = k->c->at.bundle.name, *later = bundle_item_later(item);
	bool ended = item->not_after_ms > 0 && item->not_after_ms <= clock_realtime_ms();
	auto_buf state = BUF_INIT, text = BUF_INIT;
	struct err err = ERR_INIT;
	int rc = 0;

	creds_put_state(item, &state);
	buf_puts(&text, bundle_source_word(item->source));
	if (item->revoked || later != NULL) {
		tell(k, "-", bundle, item->name, item->revoked ? "revoked" : later);
		return;
	}
	if (item->source == BUNDLE_SOURCE_SEALED) {
		buf_printf(&text, ", version %llu", (unsigned long long)item->version);
		rc = check_sealed(k, item, &err);
	} else if (item->source == BUNDLE_SOURCE_FILE) {
		buf_printf(&text, " %s", item->path);
		rc = check_file(k, item, &err);
	} else if (item->source == BUNDLE_SOURCE_EXEC) {
		buf_printf(&text, " %s", item->command.items[0]);
		rc = bundle_check_command(&k->c->at, item, &err);
	} else {
		buf_puts(&text, ", which comes with a call");
	}
	if (state.len > 0) {
		buf_printf(&text, ", %s", buf_text(&state));
	}
	if (rc < 0) {
		tell(k, "bad", bundle, item->name, err.text);
	} else {
		tell(k, ended ? "bad" : "ok", bundle, item->name, buf_text(&text));
	}
}

/* ---- one bundle ------------------------------------------------------------------------------ */

static bool
is_named(const struct bundle *b, const char *file)
{
	for (size_t i = 0; i < b->item_count; i++) {
		auto_buf name = BUF_INIT;

		bundle_item_file(b->items[i].name, b->items[i].version, &name);
		if (b->items[i].source == BUNDLE_SOURCE_SEALED &&
		    strcmp(buf_text(&name), file) == 0) {
			return true;
		}
	}
	return false;
}

/* A sealed file that nobody reads is a copy of a value that somebody may still open. */
static void
check_strays(struct check *k)
{
	auto_dir dir = NULL;
	const struct dirent *e;

	if (fdio_list_dir(k->c->at.dir_fd, ".", 0, &dir) < 0) {
		tell(k, "bad", k->c->at.bundle.name, NULL, "its directory cannot be listed");
		return;
	}
	while ((e = readdir(dir)) != NULL) {
		size_t len = strlen(e->d_name);
		auto_buf text = BUF_INIT;

		if ((len > 4 && strcmp(e->d_name + len - 4, ".age") == 0 &&
		     !is_named(&k->c->at.bundle, e->d_name)) ||
		    (len > 4 && strcmp(e->d_name + len - 4, ".new") == 0)) {
			buf_printf(&text, "%s is a file of no item; remove it", e->d_name);
			tell(k, "bad", k->c->at.bundle.name, NULL, buf_text(&text));
		}
	}
}

static void
check_bundle(struct check *k, const char *name)
{
	struct creds *c = k->c;
	auto_buf report = BUF_INIT;
	struct err err = ERR_INIT;

	bundle_at_finish(&c->at);
	if (bundle_open_read(&c->req, name, &c->at, &report, &err) < 0) {
		tell(k, "bad", name, NULL, err.text);
		return;
	}
	if (c->at.bundle.item_count == 0) {
		tell(k, "ok", name, NULL, "no items");
	}
	for (size_t i = 0; i < c->at.bundle.item_count; i++) {
		check_item(k, &c->at.bundle.items[i]);
	}
	check_strays(k);
}

static int
check_all(struct check *k)
{
	struct bundle_listing list = { .count = 0 };
	int rc = bundle_list(&k->c->req, &list, &k->c->err);

	for (size_t i = 0; rc == 0 && i < list.count; i++) {
		if (!list.rows[i].is_hidden) {
			check_bundle(k, list.rows[i].name);
		}
	}
	bundle_listing_finish(&list);
	return rc;
}

int
cmd_creds_check(int argc, char **argv)
{
	struct command_line cl = { .argc = argc, .argv = argv };
	auto_creds c = { .at = BUNDLE_AT_INIT };
	auto_fd identity = -1;
	struct check k = { .c = &c, .identity_err = ERR_INIT };
	auto_buf path = BUF_INIT;
	bool none = false;
	int rc = command_line_flag(&cl, 0, 1, &none);

	if (rc >= 0) {
		return rc;
	}
	creds_init(&c);
	if (cl.operands > 0 && bundle_name_check("a bundle", cl.operand[0], &c.err) < 0) {
		return creds_fail(&c, EXIT_AIRLOCK);
	}
	if (bundle_identity_open(&c.req, getenv("CREDENTIALS_DIRECTORY"), &identity, &path,
				 &k.identity_err) < 0) {
		identity = -1;
	}
	k.identity_fd = identity;
	rc = 0;
	if (cl.operands > 0) {
		check_bundle(&k, cl.operand[0]);
	} else {
		rc = check_all(&k);
	}
	return rc < 0 ? creds_fail(&c, EXIT_AIRLOCK) : k.bad > 0 ? 1 : 0;
}
