/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LOOK FIRST of `airlock show`: what somebody after an incident looks for, gathered from the parts
 * below it, which have the rest. Runs in airlock-cli as the caller; paths and what was denied are
 * the tool's and are escaped here.
 */
#include <string.h>

#include "view_show.h"

#define SHOWN_OF_A_KIND 4u

/* Facts of one kind: the first has the label, those that are too many are counted. */
struct kind {
	struct page *p;
	const char *label;
	enum view_color color;
	size_t count;
	bool *is_begun; /* the part's head was printed */
};

static void
add(struct kind *k, const char *text)
{
	if (!*k->is_begun) {
		page_part(k->p, "LOOK FIRST", "what was held, denied, exhausted or not enforced");
		*k->is_begun = true;
	}
	if (k->count < SHOWN_OF_A_KIND || k->p->verbose) {
		page_fact_color(k->p, k->count == 0 ? k->label : "", k->color, text);
	}
	k->count++;
}

static void
end(const struct kind *k)
{
	if (k->count > SHOWN_OF_A_KIND && !k->p->verbose) {
		page_factf(k->p, "", "and %zu more, below", k->count - SHOWN_OF_A_KIND);
	}
}

static void
find_changes(struct page *p, const struct record *rec, const char *member, const char *label,
	     bool *is_begun)
{
	const json_t *changes = json_object_get(rec->outcome, "changes");
	uint64_t total = record_number(changes, label);
	const json_t *items = record_get(rec->outcome, "changes.items");
	struct kind k = { .p = p, .label = label, .color = VIEW_YELLOW, .is_begun = is_begun };

	for (size_t i = 0; i < json_array_size(items); i++) {
		const json_t *item = json_array_get(items, i);
		const char *rule = record_text(item, member);
		auto_buf text = BUF_INIT;

		if (rule[0] != '\0') {
			view_path(&text, record_text(item, "path"));
			buf_puts(&text, ", ");
			view_text(&text, rule);
			add(&k, buf_text(&text));
		}
	}
	end(&k);
	if (total > k.count) {
		auto_buf text = BUF_INIT;

		buf_printf(&text, "%llu that the record does not name",
			   (unsigned long long)(total - k.count));
		k.count = 0;
		add(&k, buf_text(&text));
	}
}

static void
find_denials(struct page *p, const struct record *rec, bool *is_begun)
{
	const json_t *denials = json_object_get(rec->outcome, "denials");
	struct kind k = { .p = p, .label = "denied", .color = VIEW_YELLOW, .is_begun = is_begun };

	for (size_t i = 0; i < json_array_size(denials); i++) {
		auto_buf text = BUF_INIT;

		show_denial(&text, json_array_get(denials, i));
		add(&k, buf_text(&text));
	}
	end(&k);
}

static void
find_leaks(struct page *p, const struct record *rec, bool *is_begun)
{
	const json_t *leaks = json_object_get(rec->outcome, "leaks");
	struct kind k = { .p = p, .label = "leaked", .color = VIEW_RED, .is_begun = is_begun };

	for (size_t i = 0; i < json_array_size(leaks); i++) {
		const json_t *leak = json_array_get(leaks, i);
		const char *form = record_text(leak, "form");
		uint64_t count = record_number(leak, "count");
		auto_buf text = BUF_INIT;

		view_text(&text, record_text(leak, "item"));
		buf_puts(&text, " in ");
		view_text(&text, record_text(leak, "stream"));
		if (form[0] != '\0') {
			buf_puts(&text, " as ");
			view_text(&text, form);
		}
		if (count != 1) {
			buf_printf(&text, ", %llu times", (unsigned long long)count);
		}
		add(&k, buf_text(&text));
	}
	end(&k);
}

/* In the words of DECIDED, which has the reasons. */
static void
find_degraded(struct page *p, const struct record *rec, bool *is_begun)
{
	const json_t *degraded = json_object_get(rec->outcome, "degraded");
	struct kind k = { .p = p, .label = "degraded", .color = VIEW_YELLOW, .is_begun = is_begun };
	auto_buf text = BUF_INIT;

	if (json_array_size(degraded) > 0) {
		show_strings(&text, degraded, ", ");
		add(&k, buf_text(&text));
	}
}

void
show_findings(struct page *p, const struct record *rec)
{
	bool is_begun = false;
	struct kind reached = {
		.p = p, .label = "reached", .color = VIEW_RED, .is_begun = &is_begun
	};
	auto_buf text = BUF_INIT;

	if (rec->outcome == NULL) {
		return;
	}
	find_changes(p, rec, "hold", "held", &is_begun);
	find_changes(p, rec, "watched", "watched", &is_begun);
	find_denials(p, rec, &is_begun);
	find_leaks(p, rec, &is_begun);
	show_reached(&text, rec);
	if (text.len > 0) {
		add(&reached, buf_text(&text));
	}
	find_degraded(p, rec, &is_begun);
}
