/* SPDX-License-Identifier: Apache-2.0 */
/* airlock-witness new-key: a key for a witness. Runs as whoever will run the witness. */
#include "verbs.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>

#include "../base/fdio.h"
#include "../evidence/note.h"

static const char usage[] = "usage: airlock-witness new-key --key FILE --name NAME\n"
			    "Makes a key for a witness, prints what others verify it with.\n"
			    "  --key FILE   the new file, 0600; must not be there\n"
			    "  --name NAME  of the witness, as in witness.example.org/1\n";

static int
write_key(const char *path, const struct note_signer *s, struct err *err)
{
	auto_fd fd = -1;
	auto_secret_buf pem = BUF_INIT;
	int r = note_signer_print(s, &pem, err);

	if (r == 0) {
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		r = fd < 0 ? -errno : fdio_write(fd, pem.data, pem.len);
		r = r == 0 && fsync(fd) < 0 ? -errno : r;
		r = r == -EEXIST
			  ? err_set(err, r, "%s: is there; a key is never written over", path)
		  : r < 0 ? err_sys(err, r, "%s: writing a key", path)
			  : 0;
	}
	return r;
}

int
verb_new_key(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "key", required_argument, NULL, 'k' },
		{ "name", required_argument, NULL, 'n' },
		{ NULL, 0, NULL, 0 },
	};
	const char *path = NULL, *name = NULL;
	auto_note_signer s = { .seed = { 0 } };
	struct err err = ERR_INIT;
	auto_buf vkey = BUF_INIT;
	int c;

	while ((c = getopt_long(argc, argv, "+h", options, NULL)) != -1) {
		switch (c) {
		case 'k':
			path = optarg;
			break;
		case 'n':
			name = optarg;
			break;
		default:
			return verb_usage(usage, c == 'h' ? NULL : "");
		}
	}
	if (path == NULL || name == NULL || optind < argc) {
		return verb_usage(usage, "needs --key and --name, and nothing else");
	}
	if (note_signer_generate(name, NOTE_ALGORITHM_COSIGNATURE, &s, &err) < 0 ||
	    write_key(path, &s, &err) < 0) {
		return verb_fail(1, &err);
	}
	note_key_print(&s.key, &vkey);
	puts(buf_text(&vkey));
	return 0;
}
