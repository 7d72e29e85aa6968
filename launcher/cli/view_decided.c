/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DECIDED of `airlock show`: profile, mode, policy, and the attestation in words. Runs in
 * airlock-cli as the caller; strings of a record are escaped here.
 */
#include <string.h>
#include <sys/resource.h>

#include "view_show.h"

#define UNLIMITED ((uint64_t)1 << 62) /* what a kernel says for "no limit" is above it */

static void
put_item(struct buf *b, const char *text)
{
	buf_puts(b, b->len > 0 ? ", " : "");
	buf_puts(b, text);
}

/* ---- the attestation ---------------------------------------------------------------------- */

static void
show_isolation(struct page *p, const json_t *a)
{
	const json_t *capabilities = json_object_get(a, "capabilities");
	uint64_t filters = record_number(a, "seccomp_filters");
	uint64_t abi = record_number(a, "landlock_abi");
	auto_buf text = BUF_INIT;

	view_count(&text, json_object_size(json_object_get(a, "namespaces")), "fresh namespace",
		   "fresh namespaces");
	if (json_array_size(capabilities) == 0) {
		put_item(&text, "no capability");
	} else {
		put_item(&text, "capabilities ");
		show_strings(&text, capabilities, " ");
	}
	put_item(&text, json_is_true(json_object_get(a, "no_new_privs")) ? "no_new_privs"
									 : "NOT no_new_privs");
	put_item(&text, "seccomp (");
	view_count(&text, filters, "filter ", "filters ");
	page_digest(p, &text, record_text(a, "seccomp_digest"));
	buf_putc(&text, ')');
	if (abi > 0) {
		buf_printf(&text, ", Landlock ABI %llu", (unsigned long long)abi);
	} else {
		put_item(&text, "no Landlock");
	}
	page_fact(p, "isolation", buf_text(&text));
}

static void
show_identity(struct page *p, const json_t *a)
{
	const json_t *groups = json_object_get(a, "groups");
	auto_buf text = BUF_INIT;

	buf_printf(&text, "uid %llu inside, %llu outside; gid %llu",
		   (unsigned long long)record_number(a, "uid"),
		   (unsigned long long)record_number(a, "uid_outside"),
		   (unsigned long long)record_number(a, "gid"));
	for (size_t i = 0; i < json_array_size(groups); i++) {
		buf_printf(&text, "%s%llu", i == 0 ? ", kept groups " : " ",
			   (unsigned long long)record_value(json_array_get(groups, i)));
	}
	page_fact(p, "ran as", buf_text(&text));
	buf_reset(&text);
	buf_printf(&text, "%llu, as planned; table ",
		   (unsigned long long)record_number(a, "mounts"));
	page_digest(p, &text, record_text(a, "mounts_digest"));
	page_fact(p, "mounts", buf_text(&text));
}

static void
put_memory(struct buf *b, const json_t *cgroup, const json_t *limits)
{
	uint64_t max = record_number(cgroup, "memory_max");
	uint64_t memory = record_number(limits, "memory"), disk = record_number(limits, "disk");

	if (max >= UNLIMITED) {
		buf_puts(b, "memory not limited");
		return;
	}
	buf_puts(b, "memory ");
	view_size(b, max);
	if (max == memory + disk) {
		buf_puts(b, " (");
		view_size(b, memory);
		buf_puts(b, " + ");
		view_size(b, disk);
		buf_puts(b, " disk)");
	}
	if (record_number(cgroup, "swap_max") == 0) {
		buf_puts(b, ", no swap");
	}
}

static void
show_cgroup(struct page *p, const json_t *cgroup, const json_t *limits)
{
	uint64_t quota = record_number(cgroup, "cpu_quota_us");
	uint64_t period = record_number(cgroup, "cpu_period_us");
	uint64_t pids = record_number(cgroup, "pids_max");
	auto_buf text = BUF_INIT;

	if (!json_is_object(cgroup)) {
		page_fact_color(
			p, "limits held", VIEW_YELLOW,
			"by no cgroup: memory was advisory (RLIMIT_DATA and a look every 100 ms), "
			"the share of CPU was not limited");
		return;
	}
	buf_printf(&text,
		   "by cgroup v%llu: ", (unsigned long long)record_number(cgroup, "version"));
	put_memory(&text, cgroup, limits);
	if (pids < UNLIMITED) {
		buf_printf(&text, ", pids %llu", (unsigned long long)pids);
	}
	if (quota > 0 && quota < UNLIMITED && period > 0) {
		buf_printf(&text, ", cpu %llu%%", (unsigned long long)(quota * 100 / period));
	}
	page_fact(p, "limits held", buf_text(&text));
}

enum unit { UNIT_COUNT, UNIT_SECONDS, UNIT_BYTES };

static void
put_rlimit(struct buf *b, uint64_t resource, uint64_t soft)
{
	static const struct {
		const char *name;
		const char *none; /* said instead, when the value is as good as nothing */
		uint64_t nothing;
		enum unit unit;
	} names[] = {
		[RLIMIT_CPU] = { "cpu time", NULL, 0, UNIT_SECONDS },
		[RLIMIT_FSIZE] = { "file size", NULL, 0, UNIT_BYTES },
		[RLIMIT_DATA] = { "private memory", NULL, 0, UNIT_BYTES },
		[RLIMIT_CORE] = { "core", "no core dump", 1, UNIT_BYTES },
		[RLIMIT_NPROC] = { "processes", NULL, 0, UNIT_COUNT },
		[RLIMIT_NOFILE] = { "open files", NULL, 0, UNIT_COUNT },
		[RLIMIT_MEMLOCK] = { "locked memory", NULL, 0, UNIT_BYTES },
		[RLIMIT_SIGPENDING] = { "queued signals", NULL, 0, UNIT_COUNT },
		[RLIMIT_RTPRIO] = { "real-time priority", "no real-time priority", 0, UNIT_COUNT },
	};

	if (resource >= ARRAY_LEN(names) || names[resource].name == NULL) {
		buf_printf(b, "resource %llu %llu", (unsigned long long)resource,
			   (unsigned long long)soft);
		return;
	}
	if (names[resource].none != NULL && soft <= names[resource].nothing) {
		buf_puts(b, names[resource].none);
		return;
	}
	buf_printf(b, "%s ", names[resource].name);
	switch (names[resource].unit) {
	case UNIT_COUNT:
		buf_printf(b, "%llu", (unsigned long long)soft);
		break;
	case UNIT_SECONDS:
		view_duration(b, soft < UNLIMITED / 1000 ? soft * 1000 : soft);
		break;
	case UNIT_BYTES:
		view_size(b, soft);
		break;
	}
}

static void
show_rlimits(struct page *p, const json_t *rlimits)
{
	auto_buf text = BUF_INIT;

	for (size_t i = 0; i < json_array_size(rlimits); i++) {
		const json_t *row = json_array_get(rlimits, i);

		buf_puts(&text, i > 0 ? ", " : "");
		put_rlimit(&text, record_number(row, "resource"), record_number(row, "soft"));
	}
	page_fact(p, "per process", text.len > 0 ? buf_text(&text) : "no rlimit");
}

static bool
is_same_reason(const json_t *a, const json_t *b)
{
	return strcmp(record_text(a, "rule"), record_text(b, "rule")) == 0 &&
	       strcmp(record_text(a, "why"), record_text(b, "why")) == 0 &&
	       strcmp(record_text(a, "hint"), record_text(b, "hint")) == 0;
}

/* Which rule tolerated it, why it is missing, how to get it; once for those of one reason. */
static void
show_missing(struct page *p, const json_t *layers)
{
	for (size_t i = 0; i < json_array_size(layers); i++) {
		const json_t *layer = json_array_get(layers, i);
		auto_buf text = BUF_INIT;

		view_text(&text, record_text(layer, "what"));
		for (; i + 1 < json_array_size(layers) &&
		       is_same_reason(layer, json_array_get(layers, i + 1));
		     i++) {
			buf_puts(&text, ", ");
			view_text(&text, record_text(json_array_get(layers, i + 1), "what"));
		}
		buf_puts(&text, " (");
		view_text(&text, record_text(layer, "rule"));
		buf_puts(&text, "): ");
		view_text(&text, record_text(layer, "why"));
		buf_puts(&text, "; ");
		view_text(&text, record_text(layer, "hint"));
		page_fact(p, "", buf_text(&text));
	}
}

static void
show_attestation(struct page *p, const struct record *rec)
{
	const json_t *a = json_object_get(rec->outcome, "attestation");
	const json_t *degraded = json_object_get(rec->outcome, "degraded");
	auto_buf text = BUF_INIT;

	if (json_object_size(a) == 0) {
		page_fact_color(
			p, "isolation", VIEW_YELLOW,
			"nothing was attested: the sandbox was not complete, the tool did not run");
	} else {
		show_isolation(p, a);
		show_identity(p, a);
		show_cgroup(p, json_object_get(a, "cgroup"),
			    json_object_get(rec->planned, "limits"));
		show_rlimits(p, json_object_get(a, "rlimits"));
	}
	if (json_array_size(degraded) > 0) {
		show_strings(&text, degraded, ", ");
		buf_puts(&text, ": not enforced on this host, as the profile allows");
		page_fact_color(p, "degraded", VIEW_YELLOW, buf_text(&text));
		show_missing(p, json_object_get(rec->outcome, "missing_layers"));
	} else {
		page_fact(p, "degraded", "nothing");
	}
	if (p->verbose && !p->html) {
		show_object(p, "attested", a);
	}
}

/* ---- profile and policy ------------------------------------------------------------------- */

static void
show_profile(struct page *p, const struct record *rec)
{
	auto_buf text = BUF_INIT;

	view_text(&text, record_text(rec->planned, "profile.name"));
	buf_putc(&text, ' ');
	page_digest(p, &text, record_text(rec->planned, "profile.digest"));
	buf_puts(&text, ", from ");
	view_path(&text, record_text(rec->planned, "profile.source"));
	page_fact(p, "profile", buf_text(&text));
	if (p->verbose && !p->html) {
		page_factf(p, "values", "airlock cat %.13s profile: each with its file and line",
			   rec->id);
	}
}

static void
show_toolchains(struct page *p, const struct record *rec)
{
	const json_t *names = json_object_get(rec->planned, "toolchains");
	auto_buf text = BUF_INIT;

	if (json_array_size(names) > 0) {
		show_strings(&text, names, ", ");
		buf_puts(&text, ": what the host has of them could be read and run");
		page_fact(p, "toolchains", buf_text(&text));
	}
}

/* Paths of the record are escaped already. */
static void
show_worktree(struct page *p, const struct record *rec)
{
	const char *common = record_text(rec->planned, "worktree");
	auto_buf text = BUF_INIT;

	if (common[0] != '\0') {
		view_path(&text, common);
		buf_puts(&text, ": history and index could be read, its configuration not");
		page_fact(p, "worktree of", buf_text(&text));
	}
}

/* " (default.yaml:33)": the place of a rule; nothing in a record that does not say it. */
static void
put_rule(struct buf *b, const struct record *rec, const char *key)
{
	const char *rule =
		json_string_value(json_object_get(json_object_get(rec->planned, "rules"), key));

	if (rule != NULL) {
		buf_puts(b, " (");
		view_text(b, rule);
		buf_putc(b, ')');
	}
}

/* There is no egress: what a profile can say is whether its own programs reach each other. */
static void
show_network(struct page *p, const struct record *rec)
{
	const json_t *loopback = json_object_get(rec->planned, "loopback");
	auto_buf text = BUF_INIT;

	if (!json_is_boolean(loopback)) {
		return;
	}
	buf_puts(&text, json_is_true(loopback)
				? "127.0.0.1 and ::1 among its own programs, nothing else"
				: "none: no address could be reached, not even 127.0.0.1");
	put_rule(&text, rec, "network.loopback");
	page_fact(p, "network", buf_text(&text));
}

static void
show_mode(struct page *p, const struct record *rec)
{
	static const struct {
		const char *mode, *meaning;
	} modes[] = {
		{ "apply", ": committed on success, unless protected or in conflict" },
		{ "observe", ": changes are dropped, whatever happens" },
	};
	const char *mode = record_text(rec->planned, "mode");
	auto_buf text = BUF_INIT;

	view_text(&text, mode);
	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		buf_puts(&text, strcmp(modes[i].mode, mode) == 0 ? modes[i].meaning : "");
	}
	put_rule(&text, rec, "mode");
	page_fact(p, "mode", buf_text(&text));
}

/* Held change sets below the call, newest last, and which of them was asked for. */
static void
show_draft(struct page *p, const struct record *rec)
{
	const json_t *draft = json_object_get(rec->planned, "draft");
	const char *over = record_text(rec->planned, "over");
	size_t count = json_array_size(draft);
	auto_buf text = BUF_INIT;

	if (count == 0) {
		return;
	}
	for (size_t i = 0; i < count; i++) {
		const char *call = json_string_value(json_array_get(draft, i));
		auto_buf id = BUF_INIT;

		view_text(&id, call != NULL ? call : "");
		buf_printf(&text, "%s%.13s", i > 0 ? ", " : "", buf_text(&id));
	}
	buf_puts(&text, over[0] != '\0' ? ": held change sets, the last as --over asked"
					: ": the draft, held change sets that are not applied yet");
	page_fact(p, "over", buf_text(&text));
}

static void
show_retry(struct page *p, const struct record *rec)
{
	bool safe = strcmp(record_text(rec->planned, "retry"), "safe") == 0;

	page_fact(p, "retry",
		  safe ? "safe: may run again under its key when airlock died in it"
		       : "ask: a person decides when airlock died in it");
}

/* Paths of the record are escaped already. */
static void
show_write(struct page *p, const struct record *rec)
{
	const json_t *write = json_object_get(rec->planned, "write");
	bool observe = strcmp(record_text(rec->planned, "mode"), "observe") == 0;
	auto_buf text = BUF_INIT;

	if (json_array_size(write) == 0) {
		return;
	}
	show_strings(&text, write, " ");
	buf_puts(&text, observe ? ": read-only in observe"
				: ": written directly; not in the change set, no undo");
	page_fact_color(p, "outside", VIEW_YELLOW, buf_text(&text));
}

static void
show_caches(struct page *p, const struct record *rec)
{
	const json_t *caches = json_object_get(rec->planned, "caches");
	bool observe = strcmp(record_text(rec->planned, "mode"), "observe") == 0;
	auto_buf text = BUF_INIT;

	if (json_array_size(caches) == 0) {
		return;
	}
	for (size_t i = 0; i < json_array_size(caches); i++) {
		const json_t *c = json_array_get(caches, i);

		buf_puts(&text, i > 0 ? ", " : "");
		view_text(&text, record_text(c, "name"));
		buf_putc(&text, ' ');
		view_path(&text, record_text(c, "path"));
		buf_puts(&text, " (");
		view_text(&text, record_text(c, "scope"));
		buf_puts(&text, json_is_true(json_object_get(c, "exec")) ? ", exec)" : ")");
	}
	buf_puts(&text, observe ? ": read-only in observe"
				: ": kept for later calls; not in the change set");
	page_fact(p, "caches", buf_text(&text));
}

/* What resolvers said when they were told that the call had ended. */
static void
show_upstream(struct page *p, const json_t *items)
{
	for (size_t i = 0; i < json_array_size(items); i++) {
		const json_t *item = json_array_get(items, i);
		bool pending = strcmp(record_text(item, "state"), "pending") == 0;
		auto_buf text = BUF_INIT;

		if (strcmp(record_text(item, "state"), "none") == 0) {
			continue;
		}
		view_text(&text, record_text(item, "item"));
		buf_puts(&text, pending ? ": its resolver had not revoked it; airlock recover asks "
					  "again"
					: ": its resolver has revoked it");
		page_fact_color(p, "", pending ? VIEW_YELLOW : VIEW_PLAIN, buf_text(&text));
	}
}

/* Where the tool had it; between its bundle and its name there. */
static const char *
delivered_words(const char *deliver)
{
	return strcmp(deliver, "env") == 0	 ? ", in the variable "
	     : strcmp(deliver, "fd") == 0	 ? ", a descriptor, in "
	     : strcmp(deliver, "ssh-agent") == 0 ? ", a key that signs, its agent in "
						 : ", the file ";
}

static void
show_use(struct page *p, const json_t *use)
{
	static const struct {
		const char *kind, *words;
	} kinds[] = { { "login", "  a login as " }, { "file", "  a signature of a file for " } };
	const char *words = "  something else";
	auto_buf text = BUF_INIT;

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		words = strcmp(record_text(use, "kind"), kinds[i].kind) == 0 ? kinds[i].words
									     : words;
	}
	buf_puts(&text, words);
	view_text(&text, record_text(use, "what"));
	if (record_text(use, "host_key")[0] != '\0') {
		buf_puts(&text, " at the server with the key ");
		view_text(&text, record_text(use, "host_key"));
	}
	buf_printf(&text, ", %llu of them", (unsigned long long)record_number(use, "count"));
	page_fact(p, "", buf_text(&text));
}

/* What was asked of a key while the call had it. */
static void
show_agents(struct page *p, const struct record *rec)
{
	const json_t *agents = record_get(rec->outcome, "credentials.agents");

	for (size_t i = 0; i < json_array_size(agents); i++) {
		const json_t *agent = json_array_get(agents, i);
		auto_buf text = BUF_INIT;

		view_text(&text, record_text(agent, "item"));
		if (json_is_integer(json_object_get(agent, "signatures"))) {
			uint64_t signatures = record_number(agent, "signatures");
			uint64_t refused = record_number(agent, "refused");

			buf_printf(&text, " signed %llu time%s, and refused %llu other request%s",
				   (unsigned long long)signatures, signatures == 1 ? "" : "s",
				   (unsigned long long)refused, refused == 1 ? "" : "s");
		} else {
			buf_puts(&text, ": nobody knows how often it signed");
		}
		page_fact(p, "", buf_text(&text));
		for (size_t k = 0; k < json_array_size(json_object_get(agent, "uses")); k++) {
			show_use(p, json_array_get(json_object_get(agent, "uses"), k));
		}
	}
}

/* No value is in the record; the fingerprint tells two apart. */
static void
show_credentials(struct page *p, const struct record *rec)
{
	const json_t *items = json_object_get(rec->planned, "credentials");
	const char *serves = record_text(rec->planned, "serves");

	if (serves[0] != '\0') {
		auto_buf text = BUF_INIT;

		buf_puts(&text, "for a credential of call ");
		view_text(&text, serves);
		page_fact(p, "resolver", buf_text(&text));
	}
	for (size_t i = 0; i < json_array_size(items); i++) {
		const json_t *item = json_array_get(items, i);
		const char *deliver = record_text(item, "deliver");
		auto_buf text = BUF_INIT;

		view_text(&text, record_text(item, "item"));
		buf_puts(&text, " of bundle ");
		view_text(&text, record_text(item, "bundle"));
		buf_puts(&text, delivered_words(deliver));
		view_text(&text, record_text(item, "name"));
		buf_printf(&text, "; %s, ", record_text(item, "access"));
		view_text(&text, record_text(item, "source"));
		if (record_number(item, "version") != 0) {
			buf_printf(&text, " %llu",
				   (unsigned long long)record_number(item, "version"));
		}
		buf_puts(&text, ", fingerprint ");
		view_text(&text, record_text(item, "fingerprint"));
		if (record_text(item, "resolver")[0] != '\0') {
			buf_puts(&text, ", by call ");
			view_text(&text, record_text(item, "resolver"));
		}
		if (record_text(item, "public_key")[0] != '\0') {
			buf_puts(&text, ", public key ");
			view_text(&text, record_text(item, "public_key"));
		}
		page_fact(p, i == 0 ? "credentials" : "", buf_text(&text));
	}
	if (json_array_size(items) > 0 && rec->outcome != NULL) {
		bool revoked = json_is_true(record_get(rec->outcome, "credentials.revoked"));

		show_agents(p, rec);
		page_fact_color(p, "", revoked ? VIEW_PLAIN : VIEW_YELLOW,
				revoked ? "revoked when the call had ended"
					: "airlock-credd did not say that they were revoked");
	}
	show_upstream(p, record_get(rec->outcome, "credentials.upstream"));
}

static void
show_policy(struct page *p, const struct record *rec)
{
	const json_t *rules = record_get(rec->planned, "policy.rules");
	auto_buf text = BUF_INIT;

	view_text(&text, record_text(rec->planned, "policy.decision"));
	if (json_array_size(rules) > 0) {
		buf_puts(&text, " by ");
		show_strings(&text, rules, " ");
	}
	if (record_text(rec->planned, "policy.digest")[0] != '\0') {
		buf_puts(&text, ", policy ");
		page_digest(p, &text, record_text(rec->planned, "policy.digest"));
	} else {
		buf_puts(&text, ": there is no policy, the profile alone decided");
	}
	page_fact(p, "policy", buf_text(&text));
}

void
show_decided(struct page *p, const struct record *rec)
{
	const json_t *labels = json_object_get(rec->outcome, "labels_after");
	auto_buf text = BUF_INIT;

	page_part(p, "DECIDED", "what was allowed, and what held before the tool started");
	show_profile(p, rec);
	show_toolchains(p, rec);
	show_worktree(p, rec);
	show_mode(p, rec);
	show_draft(p, rec);
	show_network(p, rec);
	show_retry(p, rec);
	show_write(p, rec);
	show_caches(p, rec);
	show_credentials(p, rec);
	show_policy(p, rec);
	if (rec->outcome != NULL) {
		show_attestation(p, rec);
	}
	if (json_array_size(labels) > 0) {
		show_strings(&text, labels, " ");
		page_fact(p, "labels", buf_text(&text));
		buf_reset(&text);
	}
	buf_puts(&text, "plan ");
	page_digest(p, &text, record_text(rec->planned, "plan_digest"));
	buf_puts(&text, ", request ");
	page_digest(p, &text, record_text(rec->planned, "request_digest"));
	page_fact(p, "digests", buf_text(&text));
}
