/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI. Mount tables as the kernel writes them, and damaged ones. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "../../../launcher/base/fdio.h"
#include "../../../launcher/base/mountinfo.h"

static char dir[64], path[80];

static void
make_dir(void)
{
	strcpy(dir, "/tmp/airlock-mountinfo-XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/mountinfo", dir);
}

static void
remove_dir(void)
{
	unlink(path);
	cr_expect_eq(rmdir(dir), 0);
}

static int
read_text(const char *text, struct mount_table *ret)
{
	auto_fd fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	cr_assert_geq(fd, 0);
	cr_assert_eq(fdio_write(fd, text, strlen(text)), 0);
	return mount_table_read(path, ret);
}

TestSuite(mountinfo, .init = make_dir, .fini = remove_dir);

Test(mountinfo, device)
{
	auto_mount_table t = MOUNT_TABLE_INIT;

	cr_assert_eq(read_text("22 1 8:17 / / rw - ext4 /dev/sda1 rw\n"
			       "23 22 0:300 / /p rw - tmpfs t rw\n",
			       &t),
		     0);
	cr_assert_eq(t.count, 2u);
	cr_expect_eq(t.items[0].device, (uint64_t)makedev(8, 17));
	cr_expect_eq(t.items[1].device, (uint64_t)makedev(0, 300));
	cr_expect_eq(read_text("22 1 8 / / rw - ext4 /dev/sda1 rw\n", &t), -EBADMSG);
}

Test(mountinfo, which_mount_it_is_and_what_it_shows)
{
	auto_mount_table t = MOUNT_TABLE_INIT;

	cr_assert_eq(read_text("22 1 8:17 / / rw - ext4 /dev/sda1 rw\n"
			       "4294967296 22 8:17 /a\\040b/c /p rw - ext4 /dev/sda1 rw\n",
			       &t),
		     0);
	cr_assert_eq(t.count, 2u);
	cr_expect_eq(t.items[0].id, 22u);
	cr_expect_str_eq(t.items[0].root, "/");
	cr_expect_eq(t.items[1].id, (uint64_t)1 << 32);
	cr_expect_str_eq(t.items[1].root, "/a b/c");
}

Test(mountinfo, rows)
{
	static const struct {
		const char *line, *point, *fs;
		bool ro, nosuid, nodev, noexec;
	} rows[] = {
		{ "22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw", "/", "ext4", false, false, false,
		  false },
		{ "23 22 0:5 / /proc rw,nosuid,nodev,noexec,relatime shared:12 - proc proc rw",
		  "/proc", "proc", false, true, true, true },
		{ "24 22 0:6 / /a\\040b\\134c\\011d\\012e ro,nosuid master:1 propagate_from:2 "
		  "unbindable - tmpfs t rw",
		  "/a b\\c\td\ne", "tmpfs", true, true, false, false },
		/* options of the file system, behind the dash, are not the mount's */
		{ "25 22 0:7 /sub /x rw,nodev - overlay airlock ro,nosuid,noexec", "/x", "overlay",
		  false, false, true, false },
		/* a longer word is another option */
		{ "26 22 0:8 / /y rox,nosuid_not,noexec - fuse.sshfs host:/ rw", "/y", "fuse.sshfs",
		  false, false, false, true },
		/* no source, no options: fuse lets an empty source be */
		{ "27 22 0:9 / /z ro - tmpfs", "/z", "tmpfs", true, false, false, false },
		{ "28 22 0:9 / /octal\\303\\244 rw - tmpfs t rw", "/octal\xc3\xa4", "tmpfs", false,
		  false, false, false },
		/* not an escape of the kernel's: stays */
		{ "29 22 0:9 / /w\\9\\77 rw - tmpfs t rw", "/w\\9\\77", "tmpfs", false, false,
		  false, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_mount_table t = MOUNT_TABLE_INIT;

		cr_assert_eq(read_text(rows[i].line, &t), 0, "row %zu", i);
		cr_assert_eq(t.count, 1u, "row %zu", i);
		cr_expect_str_eq(t.items[0].point, rows[i].point);
		cr_expect_str_eq(t.items[0].fs, rows[i].fs);
		cr_expect_eq(t.items[0].ro, rows[i].ro, "row %zu", i);
		cr_expect_eq(t.items[0].nosuid, rows[i].nosuid, "row %zu", i);
		cr_expect_eq(t.items[0].nodev, rows[i].nodev, "row %zu", i);
		cr_expect_eq(t.items[0].noexec, rows[i].noexec, "row %zu", i);
	}
}

Test(mountinfo, damaged_lines_are_refused_and_leave_the_output_alone)
{
	static const char *const lines[] = {
		"x",
		"22 1 8:1 / / rw,relatime",                   /* no dash */
		"22 1 8:1 / - ext4 /dev/sda1 rw",             /* a field is missing */
		"22 1 8:1 / / rw - ",                         /* no file system */
		"22 1 8:1 / / rw -",
		"22 1 8:1 / / rw - ext4 x rw\nbroken",        /* the second line */
	};

	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		struct mount_table t = { .items = NULL, .count = 77, .text = NULL };

		cr_expect_eq(read_text(lines[i], &t), -EBADMSG, "line %zu", i);
		cr_expect_eq(t.count, 77u, "line %zu", i);
	}
}

Test(mountinfo, empty_file_is_an_empty_table)
{
	auto_mount_table t = MOUNT_TABLE_INIT;

	cr_assert_eq(read_text("", &t), 0);
	cr_expect_eq(t.count, 0u);
	cr_expect_null(mount_table_below(&t, "/"));
}

Test(mountinfo, absent_file)
{
	auto_mount_table t = MOUNT_TABLE_INIT;

	cr_expect_eq(mount_table_read(path, &t), -ENOENT);
	cr_expect_eq(t.count, 0u);
}

Test(mountinfo, order_is_kept_beyond_one_allocation)
{
	auto_mount_table t = MOUNT_TABLE_INIT;
	auto_buf text = BUF_INIT;

	for (int i = 0; i < 200; i++) {
		buf_printf(&text, "%d 1 0:5 / /m%d rw - tmpfs t rw\n", i, i);
	}
	cr_assert_eq(read_text(buf_text(&text), &t), 0);
	cr_assert_eq(t.count, 200u);
	cr_expect_str_eq(t.items[0].point, "/m0");
	cr_expect_str_eq(t.items[63].point, "/m63");
	cr_expect_str_eq(t.items[64].point, "/m64");
	cr_expect_str_eq(t.items[199].point, "/m199");
}

Test(mountinfo, below_means_strictly_below)
{
	static const struct {
		const char *path, *below;
	} rows[] = {
		{ "/", "/usr/lib" },	    { "/usr", "/usr/lib" }, { "/us", NULL },
		{ "/usr/lib", NULL },	    { "/usr/li", NULL },    { "/home", "/home/a/b" },
		{ "/home/a", "/home/a/b" }, { "/none", NULL },
	};
	auto_mount_table t = MOUNT_TABLE_INIT;

	cr_assert_eq(read_text("1 0 0:1 / / rw - ext4 d rw\n"
			       "2 1 0:2 / /usr/lib rw - ext4 d rw\n"
			       "3 1 0:3 / /home/a/b rw - ext4 d rw\n"
			       "4 1 0:3 / /home/a/b rw - ext4 d rw\n", &t), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *found = mount_table_below(&t, rows[i].path);

		if (rows[i].below == NULL) {
			cr_expect_null(found, "%s", rows[i].path);
		} else {
			cr_assert_not_null(found, "%s", rows[i].path);
			cr_expect_str_eq(found, rows[i].below);
		}
	}
}

/* The positive control: what this kernel really writes is understood. */
Test(mountinfo, own_table)
{
	auto_mount_table t = MOUNT_TABLE_INIT;
	bool has_proc = false;

	cr_assert_eq(mount_table_read("/proc/self/mountinfo", &t), 0);
	cr_assert_gt(t.count, 0u);
	for (size_t i = 0; i < t.count; i++) {
		cr_expect_eq(t.items[i].point[0], '/');
		has_proc = has_proc || (strcmp(t.items[i].point, "/proc") == 0 &&
					strcmp(t.items[i].fs, "proc") == 0);
	}
	cr_expect_eq(has_proc, true);
}
