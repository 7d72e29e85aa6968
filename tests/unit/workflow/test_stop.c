/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI. The stop button. */
#include "../../../launcher/workflow/stop.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../store/store_temp.h"

static void
open_store(const struct temp *t, struct store *s)
{
	struct err err = ERR_INIT;

	cr_assert_eq(store_open_write(t->state, s, &err), 0, "%s", err.text);
}

static int
count_orders(void *arg, const struct stop_order *order)
{
	unsigned int *n = arg;

	*n += order->principal[0] == '\0' ? 100 : 1;
	return 0;
}

/* 100 for everybody's, 1 for each principal's. */
static unsigned int
orders(const struct store *s)
{
	struct err err = ERR_INIT;
	unsigned int n = 0;

	cr_assert_eq(stop_each(s, count_orders, &n, &err), 0, "%s", err.text);
	return n;
}

Test(stop, everybody)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	const struct stop_order order = { .since_ms = 17, .uid = 1000, .reason = "loop\nx" };
	struct stop_order found = { .since_ms = 1 };
	struct err err = ERR_INIT;

	open_store(&t, &s);
	cr_expect_eq(stop_find(&s, NULL, &found), 0);
	cr_expect_eq(found.since_ms, 1u, "untouched");
	cr_expect_eq(orders(&s), 0u);
	cr_assert_eq(stop_set(&s, NULL, &order, &err), 0, "%s", err.text);
	cr_assert_eq(stop_sync(&s, NULL, &err), 0, "%s", err.text);
	cr_expect_eq(stop_sync(&s, "ann", &err), -ENOENT);
	cr_expect_eq(orders(&s), 100u);
	cr_expect_eq(stop_find(&s, NULL, &found), 1);
	cr_expect_eq(found.since_ms, 17u);
	cr_expect_eq(found.uid, 1000u);
	cr_expect_str_eq(found.reason, "loop\nx");
	cr_expect_str_eq(found.principal, "");
	cr_expect_eq(stop_find(&s, "", &found), 1);
	cr_expect_eq(stop_find(&s, "ann", &found), 1);
	cr_assert_eq(stop_release(&s, NULL, &err), 0, "%s", err.text);
	cr_expect_eq(stop_find(&s, "ann", &found), 0);
	cr_expect_eq(stop_release(&s, NULL, &err), -ENOENT);
}

Test(stop, one_principal)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	const struct stop_order order = { .since_ms = 18, .uid = 7 };
	struct stop_order found = { .since_ms = 1 };
	struct err err = ERR_INIT;
	char long_name[300];

	open_store(&t, &s);
	cr_assert_eq(stop_set(&s, "ann", &order, &err), 0, "%s", err.text);
	cr_expect_eq(stop_find(&s, NULL, &found), 0);
	cr_expect_eq(stop_find(&s, "bob", &found), 0);
	cr_expect_eq(stop_find(&s, "ann", &found), 1);
	cr_expect_str_eq(found.principal, "ann");
	cr_expect_str_eq(found.reason, "");
	/* a second one beside it; names that agree in what is kept of them are two */
	memset(long_name, 'x', sizeof(long_name));
	long_name[299] = '\0';
	cr_assert_eq(stop_set(&s, long_name, &order, &err), 0, "%s", err.text);
	cr_expect_eq(orders(&s), 2u);
	cr_expect_eq(stop_find(&s, long_name, &found), 1);
	cr_expect_eq(strlen(found.principal), sizeof(found.principal) - 1);
	long_name[298] = '\0';
	cr_expect_eq(stop_find(&s, long_name, &found), 0);
	/* releasing everybody does not release one */
	cr_expect_eq(stop_release(&s, NULL, &err), -ENOENT);
	cr_assert_eq(stop_release(&s, "ann", &err), 0, "%s", err.text);
	cr_expect_eq(stop_find(&s, "ann", &found), 0);
	cr_expect_eq(orders(&s), 1u);
}

/* So many bytes of a file can be written from here on. */
static void
have_room_for(rlim_t bytes)
{
	struct rlimit limit;

	cr_assert_neq(signal(SIGXFSZ, SIG_IGN), SIG_ERR);
	cr_assert_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes;
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

Test(stop, who_has_no_room_stops_all_the_same)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	const struct stop_order order = { .since_ms = 17, .uid = 77, .reason = "first" };
	const struct stop_order later = { .since_ms = 18, .uid = 77, .reason = "later" };
	struct stop_order found = { .since_ms = 1 };
	struct err err = ERR_INIT;
	struct stat st;

	open_store(&t, &s);
	/* "v 1\nsince 1": what there is of it says something else */
	have_room_for(11);
	cr_assert_eq(stop_set(&s, "ann", &order, &err), 0, "%s", err.text);
	cr_assert_eq(stop_sync(&s, "ann", &err), 0, "%s", err.text);
	cr_expect_eq(stop_find(&s, "bob", &found), 0);
	cr_assert_eq(stop_find(&s, "ann", &found), 1);
	cr_assert_eq(fstatat(s.dir_fd, "stop", &st, 0), 0);
	cr_expect_eq(found.uid, getuid());
	cr_expect_eq(found.since_ms / 1000, (uint64_t)st.st_mtim.tv_sec);
	cr_expect_str_eq(found.reason, "");
	/* whose it is cannot be told, but not everybody's */
	cr_expect_eq(orders(&s), 1u);
	cr_assert_eq(stop_set(&s, NULL, &order, &err), 0, "%s", err.text);
	cr_expect_eq(stop_find(&s, "bob", &found), 1);
	cr_expect_eq(orders(&s), 101u);
	cr_expect_eq(faccessat(s.dir_fd, "stop/.new", F_OK, 0), -1);
	/* what stands there stops as well, and says why */
	have_room_for(RLIM_INFINITY);
	cr_assert_eq(stop_set(&s, NULL, &order, &err), 0, "%s", err.text);
	have_room_for(0);
	cr_assert_eq(stop_set(&s, NULL, &later, &err), 0, "%s", err.text);
	cr_assert_eq(stop_find(&s, NULL, &found), 1);
	cr_expect_str_eq(found.reason, "first");
	cr_assert_eq(stop_release(&s, NULL, &err), 0, "%s", err.text);
	cr_assert_eq(stop_release(&s, "ann", &err), 0, "%s", err.text);
	cr_expect_eq(stop_find(&s, "ann", &found), 0);
}

Test(stop, what_cannot_be_read_stops)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	const struct stop_order order = { .since_ms = 18 };
	struct stop_order found;
	struct err err = ERR_INIT;

	open_store(&t, &s);
	cr_assert_eq(stop_set(&s, NULL, &order, &err), 0, "%s", err.text);
	temp_write(&t, "stop/all", "", 0);
	cr_expect_eq(stop_find(&s, NULL, &found), 1);
	cr_expect_gt(found.since_ms, 18u); /* the file's */
	temp_write(&t, "stop/all", "since x\nuid 99999999999\nreason \\9\n", 33);
	cr_expect_eq(stop_find(&s, NULL, &found), 1);
	cr_expect_gt(found.since_ms, 18u);
	cr_expect_eq(found.uid, getuid());
	cr_expect_str_eq(found.reason, "");
	temp_write(&t, "stop/junk", "", 0);
	temp_write(&t, "stop/principal-00", "", 0);
	cr_expect_eq(orders(&s), 100u);
	/* no file at all: whoever asks has to refuse, too */
	cr_assert_eq(stop_release(&s, NULL, &err), 0);
	cr_assert_eq(symlinkat("junk", s.dir_fd, "stop/all"), 0);
	cr_expect_eq(stop_find(&s, NULL, &found), -ELOOP);
}
