/* SPDX-License-Identifier: Apache-2.0 */
/* Runs in the front (reading), in airlock-log and airlock-cli, as the caller. */
#include "quota.h"

#include <errno.h>
#include <unistd.h>

#include "../base/units.h"
#include "store_internal.h"

int
quota_read(const struct store *s, struct quota *ret, struct err *err)
{
	uint64_t pair[2] = { 0, 0 };
	int r = store_read_pair(s, QUOTA_FILE, pair);

	if (r == -EBADMSG || (r == 0 && pair[0] == 0)) {
		return err_set(
			err, -EBADMSG,
			"%s/%s is damaged: set it again, `airlock gc --quota 20G`, or to none",
			s->path, QUOTA_FILE);
	}
	if (r < 0 && r != -ENOENT) {
		return err_sys(err, r, "%s/%s", s->path, QUOTA_FILE);
	}
	*ret = (struct quota){ .limit_bytes = pair[0], .used_bytes = pair[1] };
	return 0;
}

unsigned int
quota_percent(const struct quota *q)
{
	if (q->limit_bytes == 0) {
		return 0;
	}
	return (unsigned int)((long double)q->used_bytes * 100 / (long double)q->limit_bytes);
}

int
quota_check(const struct store *s, const struct quota *q, struct err *err)
{
	auto_buf limit = BUF_INIT;

	if (q->limit_bytes == 0 || q->used_bytes < q->limit_bytes) {
		return 0;
	}
	units_print_size(&limit, q->limit_bytes);
	return err_set(
		err, -EDQUOT,
		"state directory %s has reached its quota of %s (%llu bytes are used): make "
		"room with `airlock gc --older-than 30d` or `airlock forget --workflow W`, or "
		"raise it with `airlock gc --quota SIZE`",
		s->path, buf_text(&limit), (unsigned long long)q->used_bytes);
}
