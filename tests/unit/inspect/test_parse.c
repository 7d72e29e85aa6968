/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI. Lines of /proc as kernels write them, and damaged ones. */
#include <criterion/criterion.h>
#include <string.h>

#include "../../../launcher/inspect/parse.h"

static const char status[] = "Name:\tSeccomp: 7\nUmask:\t0022\nUid:\t0\t1\t2\t3\n"
			     "CapEff:\t000001ffffffffff\nSeccomp:\t2\nSeccomp_filters:\t1\n"
			     "Empty:\t\nBad:\tx";

Test(inspect_parse, status)
{
	uint64_t v = 9;

	cr_expect(parse_status_number(status, "CapEff", 16, &v));
	cr_expect_eq(v, 0x1ffffffffffu);
	cr_expect(parse_status_number(status, "Umask", 8, &v));
	cr_expect_eq(v, 022u);
	/* A process may be named as a field, and fields begin as others do. */
	cr_expect(parse_status_number(status, "Seccomp", 10, &v));
	cr_expect_eq(v, 2u);
	cr_expect(parse_status_number(status, "Seccomp_filters", 10, &v));
	cr_expect_eq(v, 1u);
	cr_expect_eq(strncmp(parse_status(status, "Name"), "Seccomp: 7\n", 11), 0);
	cr_expect_not(parse_status_number(status, "Bad", 10, &v));
	cr_expect_not(parse_status_number(status, "Cap", 16, &v));
	cr_expect_not(parse_status_number("", "Name", 10, &v));
	cr_expect_null(parse_status(status, "None"));
	cr_expect_eq(v, 1u, "untouched");
}

Test(inspect_parse, mount)
{
	char line[] = "36 35 98:0 /mnt\\0401 /mnt\\0402 rw,noatime shared:7 master:1 - ext3 "
		      "/dev/a\\134b rw,errors=continue";
	char private[] = "22 1 0:5 / / ro - tmpfs none rw";
	struct parsed_mount m;

	cr_assert(parse_mount(line, &m));
	cr_expect_str_eq(m.root, "/mnt 1");
	cr_expect_str_eq(m.point, "/mnt 2");
	cr_expect_str_eq(m.options, "rw,noatime");
	cr_expect_str_eq(m.propagation, "shared:7");
	cr_expect_str_eq(m.fs, "ext3");
	cr_expect_str_eq(m.source, "/dev/a\\b");
	cr_expect_str_eq(m.super_options, "rw,errors=continue");
	cr_assert(parse_mount(private, &m));
	cr_expect_null(m.propagation);
	cr_expect_str_eq(m.point, "/");
}

Test(inspect_parse, mount_damaged)
{
	static const char *const lines[] = {
		"",
		" - ",
		"22 1 0:5 / / ro tmpfs none rw",
		"22 1 0:5 / - tmpfs none rw",
		"22 1 0:5 / / ro - tmpfs none",
		"22 1 0:5 / / ro - ",
	};
	struct parsed_mount m;

	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		auto_free char *line = strdup(lines[i]);

		cr_expect_not(parse_mount(line, &m), "%s", lines[i]);
	}
}

Test(inspect_parse, unix_name)
{
	cr_expect_str_eq(parse_unix_name("ffff: 00000002 00000000 00010000 0001 01 123 /run/a b"),
			 "/run/a b");
	cr_expect_str_eq(parse_unix_name("ffff: 00000002 00000000 00010000 0001 01   123 @x"),
			 "@x");
	cr_expect_null(parse_unix_name("ffff: 00000002 00000000 00010000 0001 01 123"));
	cr_expect_null(parse_unix_name("ffff: 00000002 00000000 00010000 0001 01 123 "));
	cr_expect_null(parse_unix_name("Num RefCount Protocol Flags Type St Inode Path"));
	cr_expect_null(parse_unix_name(""));
}

Test(inspect_parse, socket)
{
	struct parsed_socket s;

	cr_assert(
		parse_socket("   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000", false, &s));
	cr_expect_str_eq(s.address, "127.0.0.1:8080");
	cr_expect(s.waits);
	cr_assert(parse_socket("  12: 0100007F:1F90 0200000A:0050 01 0", false, &s));
	cr_expect_not(s.waits);
	cr_assert(parse_socket("   0: 00000000000000000000000001000000:0016 "
			       "00000000000000000000000000000000:0000 0A 0",
			       true, &s));
	cr_expect_str_eq(s.address, "[::1]:22");
	cr_expect_not(parse_socket("   0: 0100007F:1F90 00000000:0000 0A", true, &s));
	cr_expect_not(parse_socket("   0: 010000:1F90 00000000:0000 0A", false, &s));
	cr_expect_not(parse_socket("  sl  local_address rem_address   st", false, &s));
	cr_expect_not(parse_socket("", false, &s));
}

Test(inspect_parse, route)
{
	struct parsed_route r;

	cr_assert(parse_route("eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0", &r));
	cr_expect_str_eq(r.destination, "0.0.0.0/0");
	cr_expect_str_eq(r.gateway, "192.0.2.1");
	cr_expect_str_eq(r.interface, "eth0");
	cr_assert(parse_route("eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0", &r));
	cr_expect_str_eq(r.destination, "192.0.2.0/24");
	cr_expect_str_eq(r.gateway, "");
	cr_expect_not(parse_route("Iface\tDestination\tGateway \tFlags", &r));
	cr_expect_not(parse_route("", &r));
}

Test(inspect_parse, route_v6)
{
	struct parsed_route r;

	cr_assert(parse_route_v6("20010db8000000000000000000000000 20 "
				 "00000000000000000000000000000000 00 "
				 "fe800000000000000000000000000001 00000400 00000001 00000000 "
				 "00000003     eth0",
				 &r));
	cr_expect_str_eq(r.destination, "2001:db8::/32");
	cr_expect_str_eq(r.gateway, "fe80::1");
	cr_expect_str_eq(r.interface, "eth0");
	cr_expect_not(parse_route_v6("20010db8 20 0 00 0 0 0 0 0 eth0", &r));
	cr_expect_not(parse_route_v6("", &r));
}

Test(inspect_parse, address_v6)
{
	char address[ADDRESS_TEXT_SIZE], interface[DEVICE_NAME_SIZE];

	cr_assert(parse_address_v6("00000000000000000000000000000001 01 80 10 80       lo", address,
				   interface));
	cr_expect_str_eq(address, "::1/128");
	cr_expect_str_eq(interface, "lo");
	cr_expect_not(parse_address_v6("0001 01 80 10 80 lo", address, interface));
	cr_expect_not(parse_address_v6("", address, interface));
}

Test(inspect_parse, credential_names)
{
	static const char *const yes[] = { "GITHUB_TOKEN",	   "aws_secret_access_key",
					   "PGPASSWORD",	   "PASS_WORD",
					   "SSH_AUTH_SOCK",	   "OPENAI_API_KEY",
					   "DATABASE_URL",	   "MY_PAT",
					   "CREDENTIALS_DIRECTORY" };
	static const char *const no[] = {
		"PATH", "HOME", "KEYBOARD", "PATTERN", "PWD", "LANG", ""
	};

	for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
		cr_expect(parse_is_credential(yes[i]), "%s", yes[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(no); i++) {
		cr_expect_not(parse_is_credential(no[i]), "%s", no[i]);
	}
}
