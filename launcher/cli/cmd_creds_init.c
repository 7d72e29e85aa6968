/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `airlock creds init`: the identity, and a bundle to begin with. Runs in airlock-cli as the
 * caller. Writes nothing over.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/text.h"
#include "../bundle/bundle_identity.h"
#include "cmd_creds.h"
#include "commands.h"

static void
say(const char *before, const struct buf *path, const char *behind)
{
	auto_buf safe = BUF_INIT;

	text_safe(&safe, path->data, path->len, false);
	printf("%s%s%s\n", before, buf_text(&safe), behind);
}

/* The one that is there serves a further bundle, too: a second would open nothing of the first. */
static int
find_identity(struct creds *c, bool may_be_there, int *ret_fd, struct buf *ret_path)
{
	int rc = bundle_identity_open(&c->req, getenv("CREDENTIALS_DIRECTORY"), ret_fd, ret_path,
				      &c->err);

	if (rc == 0 && !may_be_there) {
		return err_set(&c->err, -EEXIST,
			       "%s is there already, and stays; airlock creds init BUNDLE makes a "
			       "bundle for it",
			       buf_text(ret_path));
	}
	if (rc != -ENOENT) {
		return rc;
	}
	rc = bundle_identity_make(&c->req, ret_fd, ret_path, &c->err);
	if (rc == 0) {
		say("made ", ret_path, ": the secret key; keep a copy where nobody else reads it");
	}
	return rc;
}

static int
init(struct creds *c, const char *name)
{
	char recipient[IDENTITY_RECIPIENT_SIZE];
	auto_buf identity = BUF_INIT, manifest = BUF_INIT;
	auto_fd fd = -1;
	int rc = name != NULL ? bundle_name_check("a bundle", name, &c->err) : 0;

	if (rc < 0) {
		return rc;
	}
	rc = find_identity(c, name != NULL, &fd, &identity);
	rc = rc < 0 ? rc : bundle_identity_recipient(fd, recipient, &c->err);
	if (rc == 0 && name != NULL) {
		rc = bundle_create(&c->req, name, recipient, &manifest, &c->err);
	}
	if (rc < 0) {
		return rc;
	}
	if (name != NULL) {
		say("made ", &manifest, "");
	}
	printf("the public key, a recipient: %s\n", recipient);
	return 0;
}

int
cmd_creds_init(int argc, char **argv)
{
	struct command_line cl = { .argc = argc, .argv = argv };
	auto_creds c = { .at = BUNDLE_AT_INIT };
	bool none = false;
	int rc = command_line_flag(&cl, 0, 1, &none);

	if (rc >= 0) {
		return rc;
	}
	creds_init(&c);
	rc = init(&c, cl.operands > 0 ? cl.operand[0] : NULL);
	return rc < 0 ? creds_fail(&c, EXIT_AIRLOCK) : 0;
}
