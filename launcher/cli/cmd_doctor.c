/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `airlock doctor`: tries every layer of doctor.def here and now, says what to do about what is
 * missing, and whether a profile could run. Runs in airlock-cli as the caller. What comes from
 * paths and files is escaped.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/fdio.h"
#include "../base/json.h"
#include "../base/limits.h"
#include "../base/text.h"
#include "cmd_doctor_internal.h"
#include "commands.h"
#include "view_format.h"

#define NAME_COLUMN 10u	  /* where a layer's name begins */
#define DETAIL_COLUMN 27u /* where its detail begins */

static const struct layer {
	const char *name;
	void (*probe)(struct doctor *d, struct finding *ret);
	const char *needs, *degrade, *what;
} layers[] = {
/* clang-format off */
#define LAYER(name, probe, needs, degrade, what) { name, probe, needs, degrade, what },
#include "doctor.def"
#undef LAYER
	/* clang-format on */
};

static const struct {
	const char *name;
	enum view_color color;
} statuses[] = {
	[DOCTOR_OK] = { "ok", VIEW_GREEN },
	[DOCTOR_DEGRADED] = { "degraded", VIEW_YELLOW },
	[DOCTOR_MISSING] = { "missing", VIEW_RED },
	[DOCTOR_INFO] = { "info", VIEW_DIM },
};

_Static_assert(ARRAY_LEN(statuses) == DOCTOR__COUNT, "every status has a name");

/* The bits of a name of layers.def. */
static uint32_t
degrade_bits(const char *name)
{
	static const struct {
		const char *name;
		uint32_t bits;
	} rows[] = {
/* clang-format off */
#define LAYER(name, bits, what) { name, bits },
#include "../profile/layers.def"
#undef LAYER
		/* clang-format on */
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (strcmp(rows[i].name, name) == 0) {
			return rows[i].bits;
		}
	}
	return 0;
}

/* ---- who and where --------------------------------------------------------------------------- */

/* What "root" means says uid_map, not the number; as cli/front_identity.c decides it. */
static void
find_root(struct doctor *d)
{
	auto_buf map = BUF_INIT;
	uint64_t ids = 0, zero_outside = UINT64_MAX;
	uint64_t row[3]; /* inside, outside, count */

	if (geteuid() != 0 ||
	    fdio_slurp_at(AT_FDCWD, "/proc/self/uid_map", CAP_PROC_FILE, &map) < 0) {
		return;
	}
	for (const char *p = buf_text(&map); (p = text_numbers(p, ' ', row, 3)) != NULL;) {
		zero_outside = row[0] == 0 ? row[1] : zero_outside;
		ids += row[2];
	}
	d->is_root = ids > 1;
	d->is_host_root = zero_outside == 0;
}

static int
find_identity(struct doctor *d)
{
	const struct passwd *pw;
	struct stat st;

	find_root(d);
	d->uid = geteuid();
	d->gid = getegid();
	if (d->is_root && stat(".", &st) == 0 && st.st_uid != 0) {
		pw = getpwuid(st.st_uid);
		d->becomes = true;
		d->uid = st.st_uid;
		d->gid = pw != NULL ? pw->pw_gid : (gid_t)st.st_uid;
	}
	return d->becomes || (d->is_root && d->is_host_root) ? places_become(d->uid) : 0;
}

/* ---- trying ---------------------------------------------------------------------------------- */

static bool
is_missing(const struct finding *findings, const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(layers); i++) {
		if (strcmp(layers[i].name, name) == 0) {
			return findings[i].status == DOCTOR_MISSING;
		}
	}
	return false;
}

/* Whether the profile could run. */
static bool
judge(struct doctor *d, struct finding findings[ARRAY_LEN(layers)])
{
	bool can_run = true;

	for (size_t i = 0; i < ARRAY_LEN(layers); i++) {
		const struct layer *l = &layers[i];
		struct finding *f = &findings[i];

		if (is_missing(findings, l->needs)) {
			f->status = DOCTOR_MISSING;
			buf_printf(&f->detail, "not tried: needs %s", l->needs);
			buf_printf(&f->fix, "As for %s.\n", l->needs);
		} else {
			l->probe(d, f);
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(layers); i++) {
		struct finding *f = &findings[i];
		uint32_t bits = degrade_bits(layers[i].degrade);

		if (f->status != DOCTOR_MISSING) {
			continue;
		}
		if (bits != 0 && (d->allow_degraded & bits) == bits) {
			f->status = DOCTOR_DEGRADED;
			continue;
		}
		can_run = false;
		if (bits != 0 && strstr(buf_text(&f->fix), "allow_degraded") == NULL) {
			buf_printf(&f->fix,
				   "Or let the profile do without it:\n  allow_degraded: [%s]\n",
				   layers[i].degrade);
		}
	}
	return can_run;
}

/* ---- output ---------------------------------------------------------------------------------- */

/* A layer's fix, line by line: sentences are broken at the terminal's edge, commands never. */
static void
print_fix(const struct view *v, struct buf *out, const char *fix)
{
	const char *head = "fix: ";

	while (*fix != '\0') {
		size_t len = strcspn(fix, "\n");
		bool command = len > 2 && strncmp(fix, "  ", 2) == 0;
		auto_buf line = BUF_INIT;

		text_safe(&line, fix, len, false);
		buf_printf(out, "%*s%s", (int)NAME_COLUMN, "", head);
		if (command) {
			view_paint(v, out, VIEW_BOLD, buf_text(&line));
			buf_putc(out, '\n');
		} else {
			view_wrap(out, buf_text(&line), NAME_COLUMN + 5, v->columns);
		}
		head = "     ";
		fix += len + (fix[len] == '\n');
	}
}

static void
print_finding(const struct view *v, struct buf *out, const struct layer *l, const struct finding *f)
{
	auto_buf detail = BUF_INIT;

	text_safe(&detail, f->detail.data, f->detail.len, false);
	view_paint(v, out, statuses[f->status].color, statuses[f->status].name);
	buf_printf(out, "%*s", (int)(NAME_COLUMN - strlen(statuses[f->status].name)), "");
	view_pad(out, l->name, DETAIL_COLUMN - NAME_COLUMN, false);
	view_wrap(out, buf_text(&detail), DETAIL_COLUMN, v->columns);
	if (f->status == DOCTOR_DEGRADED || f->status == DOCTOR_MISSING) {
		buf_printf(out, "%*sfor: ", (int)NAME_COLUMN, "");
		view_wrap(out, l->what, NAME_COLUMN + 5, v->columns);
		print_fix(v, out, buf_text(&f->fix));
	}
}

static void
list_layers(struct buf *out, const struct finding *findings, enum doctor_status status,
	    const char *before)
{
	for (size_t i = 0; i < ARRAY_LEN(layers); i++) {
		if (findings[i].status == status) {
			buf_printf(out, "%s%s", before, layers[i].name);
			before = ", ";
		}
	}
}

static void
print_page(const struct doctor *d, const struct finding *findings, bool can_run)
{
	auto_buf out = BUF_INIT;
	auto_buf last = BUF_INIT;
	struct view v;

	view_init(&v, STDOUT_FILENO);
	for (size_t i = 0; i < ARRAY_LEN(layers); i++) {
		print_finding(&v, &out, &layers[i], &findings[i]);
	}
	buf_puts(&last, "profile ");
	text_safe(&last, d->profile, strlen(d->profile), false);
	buf_puts(&last, can_run ? " can run here" : " cannot run here");
	list_layers(&last, findings, DOCTOR_MISSING, "; missing: ");
	list_layers(&last, findings, DOCTOR_DEGRADED,
		    can_run ? ", without: " : "; allowed to be missing: ");
	buf_putc(&out, '\n');
	view_wrap(&out, buf_text(&last), 0, v.columns);
	fputs(buf_text(&out), stdout);
}

static void
put_bytes(struct json *j, const char *key, const char *text, size_t len)
{
	json_key(j, key);
	json_bytes(j, text, len > 0 && text[len - 1] == '\n' ? len - 1 : len);
}

static int
print_json(const struct doctor *d, const struct finding *findings, bool can_run, struct err *err)
{
	auto_buf out = BUF_INIT;
	struct json j;

	json_init(&j, &out);
	json_begin_object(&j);
	json_kv_bool(&j, "can_run", can_run);
	json_key(&j, "layers");
	json_begin_array(&j);
	for (size_t i = 0; i < ARRAY_LEN(layers); i++) {
		const struct finding *f = &findings[i];
		bool broken = f->status == DOCTOR_DEGRADED || f->status == DOCTOR_MISSING;

		json_begin_object(&j);
		put_bytes(&j, "detail", buf_text(&f->detail), f->detail.len);
		put_bytes(&j, "fix", broken ? buf_text(&f->fix) : "", broken ? f->fix.len : 0);
		json_kv_str(&j, "layer", layers[i].name);
		json_kv_str(&j, "status", statuses[f->status].name);
		json_end(&j);
	}
	json_end(&j);
	put_bytes(&j, "profile", d->profile, strlen(d->profile));
	json_end(&j);
	if (json_error(&j) < 0) {
		return err_set(err, json_error(&j), "the report cannot be written as JSON");
	}
	puts(buf_text(&out));
	return 0;
}

static void
doctor_finish(struct doctor *d, struct finding findings[ARRAY_LEN(layers)])
{
	for (size_t i = 0; i < ARRAY_LEN(layers); i++) {
		buf_finish(&findings[i].detail);
		buf_finish(&findings[i].fix);
	}
	if (d->site_known && d->site_code == 0) {
		cgroup_site_finish(&d->site);
	}
	places_finish(&d->places);
}

int
cmd_doctor(int argc, char **argv)
{
	struct command_line cl = { .argc = argc, .argv = argv };
	struct doctor d = { .profile = "default" };
	struct finding findings[ARRAY_LEN(layers)] = { 0 };
	struct err err = ERR_INIT;
	bool json = false, can_run = false;
	const char *name, *argument;
	int rc;

	while ((rc = command_line_next(&cl, &name, &argument)) > 0) {
		if (strcmp(name, "json") == 0) {
			json = true;
		} else {
			d.profile = argument;
		}
	}
	rc = command_line_end(&cl, rc, 0, 0);
	if (rc >= 0) {
		return rc;
	}
	rc = places_find(&d.places, &err);
	if (rc == 0) {
		rc = find_identity(&d) < 0 ? err_set(&err, -ENOMEM, "out of memory") : 0;
	}
	if (rc == 0) {
		around_find(&d.around);
		can_run = judge(&d, findings);
		if (json) {
			rc = print_json(&d, findings, can_run, &err);
		} else {
			print_page(&d, findings, can_run);
		}
	}
	doctor_finish(&d, findings);
	return rc < 0 ? commands_fail(EXIT_AIRLOCK, &err) : can_run ? 0 : 1;
}
