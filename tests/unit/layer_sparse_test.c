// SPDX-License-Identifier: Apache-2.0
/*
 * Numbers and sparse maps from outside: every order, count and size of records that a tar can have,
 * in the four formats of GNU tar. Wrong ones are refused with a reason; nothing is written outside.
 */
#include "tests/unit/layer_kit.h"

#define WRONG "error 10: tar entry at byte 0: "

struct rec {
	const char *key;
	const char *value;
};

/* An extended header with these records, then file "f" with a header of this type. */
static char *list_as(char type, const struct rec *r, size_t n, const char *data, size_t len)
{
	struct buf b, body;
	char one[5000];
	buf_init(&b, 1 << 20);
	buf_init(&body, 1 << 20);
	for (size_t i = 0; i < n; i++)
		buf_adds(&body, kit_pax(one, r[i].key, r[i].value));
	kit_raw(&b, "pax", 'x', "", body.data, body.len);
	kit_raw(&b, "f", type, type == '1' || type == '2' ? "t" : "", data, len);
	kit_end(&b);
	int fd = kit_fd_of(b.data, b.len);
	char *text = kit_list(fd);
	close(fd);
	buf_clear(&b);
	buf_clear(&body);
	return text;
}
#define RECORDS(...)                                                                               \
	(const struct rec[]){__VA_ARGS__},                                                         \
		sizeof((const struct rec[]){__VA_ARGS__}) / sizeof(struct rec)
#define SPARSE(data, ...) list_as('0', RECORDS(__VA_ARGS__), data, strlen(data))

#define OFFSET(v)                                                                                  \
	{                                                                                          \
		"GNU.sparse.offset", v                                                             \
	}
#define NUMBYTES(v)                                                                                \
	{                                                                                          \
		"GNU.sparse.numbytes", v                                                           \
	}
#define MAP(v)                                                                                     \
	{                                                                                          \
		"GNU.sparse.map", v                                                                \
	}
#define SIZE(v)                                                                                    \
	{                                                                                          \
		"GNU.sparse.size", v                                                               \
	}
#define REALSIZE(v)                                                                                \
	{                                                                                          \
		"GNU.sparse.realsize", v                                                           \
	}
#define MAJOR(v)                                                                                   \
	{                                                                                          \
		"GNU.sparse.major", v                                                              \
	}
#define MINOR(v)                                                                                   \
	{                                                                                          \
		"GNU.sparse.minor", v                                                              \
	}
#define BLOCKS(v)                                                                                  \
	{                                                                                          \
		"GNU.sparse.numblocks", v                                                          \
	}

#define BAD_MAP      WRONG "extended header: malformed GNU.sparse.map\n"
#define BAD_OFFSET   WRONG "extended header: malformed GNU.sparse.offset\n"
#define BAD_NUMBYTES WRONG "extended header: malformed GNU.sparse.numbytes\n"
#define BAD_RECORD   WRONG "extended header: malformed GNU.sparse record\n"
#define TWO_MAPS     WRONG "extended header: two sparse maps\n"
#define WRONG_MAP    WRONG "a sparse file whose map is wrong\n"
#define VERSION      WRONG "a sparse file of an unknown version\n"

/* The record that wrote in front of the block: a length after a map took the pieces away. */
static void a_length_has_its_offset(void **state)
{
	(void)state;
	assert_text(SPARSE("hi", OFFSET("5"), MAP(""), NUMBYTES("2"), SIZE("20")), TWO_MAPS);
	assert_text(SPARSE("hi", OFFSET("5"), MAP("5,2"), NUMBYTES("2"), SIZE("20")), TWO_MAPS);
	assert_text(SPARSE("hi", OFFSET("5"), MAP(""), NUMBYTES("4702111234474983745"), SIZE("9")),
		TWO_MAPS);
	assert_text(SPARSE("hi", NUMBYTES("2"), SIZE("20")), BAD_NUMBYTES);
	assert_text(SPARSE("hi", NUMBYTES("2"), OFFSET("5"), SIZE("20")), BAD_NUMBYTES);
	assert_text(SPARSE("hi", MAP(""), NUMBYTES("2"), SIZE("20")), BAD_NUMBYTES);
	assert_text(SPARSE("hi", MAP("5,2"), NUMBYTES("2"), SIZE("20")), BAD_NUMBYTES);
	assert_text(
		SPARSE("hi", OFFSET("5"), NUMBYTES("2"), NUMBYTES("2"), SIZE("20")), BAD_NUMBYTES);
	assert_text(SPARSE("hi", OFFSET("5"), SIZE("20")), BAD_OFFSET);
	assert_text(SPARSE("hi", OFFSET("5"), OFFSET("6"), NUMBYTES("2"), SIZE("20")), BAD_OFFSET);
	assert_text(SPARSE("hi", OFFSET("5"), NUMBYTES("2"), OFFSET("9"), SIZE("20")), BAD_OFFSET);
	assert_text(SPARSE("hi", OFFSET("5"), BLOCKS("1"), NUMBYTES("2"), SIZE("20")),
		"file f 644 0:0 1000 20\n");
}

/* What one header left unfinished is not continued by the next. */
static void nothing_is_left_for_the_next_entry(void **state)
{
	(void)state;
	struct buf b, body;
	char one[5000];
	buf_init(&b, 1 << 20);
	buf_init(&body, 1 << 20);
	buf_adds(&body, kit_pax(one, "GNU.sparse.offset", "5"));
	buf_adds(&body, kit_pax(one, "GNU.sparse.numbytes", "2"));
	buf_adds(&body, kit_pax(one, "GNU.sparse.size", "7"));
	kit_raw(&b, "pax", 'x', "", body.data, body.len);
	kit_raw(&b, "a", '0', "", "hi", 2);
	buf_reset(&body);
	buf_adds(&body, kit_pax(one, "GNU.sparse.numbytes", "2"));
	kit_raw(&b, "pax", 'x', "", body.data, body.len);
	kit_raw(&b, "b", '0', "", "hi", 2);
	kit_end(&b);
	int fd = kit_fd_of(b.data, b.len);
	assert_text(kit_list(fd), "file a 644 0:0 1000 7\n"
				  "error 10: tar entry at byte 2048: extended header: malformed "
				  "GNU.sparse.numbytes\n");
	close(fd);
	buf_clear(&b);
	buf_clear(&body);
}

static void formats_are_not_mixed(void **state)
{
	(void)state;
	assert_text(SPARSE("hi", OFFSET("5"), NUMBYTES("2"), MAP("5,2"), SIZE("20")), TWO_MAPS);
	assert_text(SPARSE("hi", OFFSET("5"), NUMBYTES("2"), MAP(""), SIZE("20")), TWO_MAPS);
	assert_text(SPARSE("hi", MAP("5,2"), OFFSET("9"), NUMBYTES("0"), SIZE("20")), TWO_MAPS);
	assert_text(SPARSE("hi", MAP(""), OFFSET("5"), NUMBYTES("2"), SIZE("20")), TWO_MAPS);
	assert_text(SPARSE("1\n5\n2\n", MAP(""), MAJOR("1"), MINOR("0"), REALSIZE("20")), TWO_MAPS);
	assert_text(SPARSE("hi", MAJOR("1"), MINOR("0"), OFFSET("5"), NUMBYTES("2"), REALSIZE("9")),
		TWO_MAPS);
	/* Of two records of one key the last, as everywhere. */
	assert_text(SPARSE("hi", MAP("0,1"), MAP("5,2"), SIZE("20")), "file f 644 0:0 1000 20\n");
	assert_text(SPARSE("hi", MAP("5,2"), MAP(""), SIZE("20")), WRONG_MAP);
}

static void maps_of_one_record(void **state)
{
	(void)state;
	assert_text(SPARSE("", MAP(""), SIZE("20")), "file f 644 0:0 1000 20\n");
	assert_text(SPARSE("hi", MAP(""), SIZE("20")), WRONG_MAP);
	assert_text(SPARSE("hi", MAP("5"), SIZE("20")), BAD_MAP);
	assert_text(SPARSE("hi", MAP("5,2,9"), SIZE("20")), BAD_MAP);
	assert_text(SPARSE("hi", MAP("5,2,"), SIZE("20")), BAD_MAP);
	assert_text(SPARSE("hi", MAP(",5,2"), SIZE("20")), BAD_MAP);
	assert_text(SPARSE("hi", MAP("5,,2"), SIZE("20")), BAD_MAP);
	assert_text(SPARSE("hi", MAP(","), SIZE("20")), BAD_MAP);
	assert_text(SPARSE("hi", MAP("-5,2"), SIZE("20")), BAD_MAP);
	assert_text(SPARSE("hi", MAP("5, 2"), SIZE("20")), BAD_MAP);
	assert_text(SPARSE("hi", MAP("5,18446744073709551615"), SIZE("20")), BAD_MAP);
	assert_text(SPARSE("hi", MAP("5,9223372036854775808"), SIZE("20")), BAD_MAP);
	assert_text(SPARSE("hi", MAP("5,9223372036854775807"), SIZE("20")), WRONG_MAP);
	/* Sums that would wrap. */
	assert_text(SPARSE("hi", MAP("9223372036854775807,9223372036854775807"), SIZE("20")),
		WRONG_MAP);
	assert_text(
		SPARSE("hi", MAP("0,9223372036854775807,9,9223372036854775807,10,4"), SIZE("20")),
		WRONG_MAP);
	assert_text(SPARSE("hi", MAP("9,1,5,1"), SIZE("20")), WRONG_MAP);
	assert_text(SPARSE("hi", MAP("5,1,5,1"), SIZE("20")), WRONG_MAP);
	assert_text(SPARSE("hi", MAP("20,0,21,0"), SIZE("20")), WRONG_MAP);
	assert_text(SPARSE("hi", MAP("18,2,20,0"), SIZE("20")), "file f 644 0:0 1000 20\n");
}

static void numbers_of_records(void **state)
{
	(void)state;
	static const char *const wrong[] = {"", "-1", "+1", " 1", "1 ", "0x1", "1.0",
		"9223372036854775808", "18446744073709551617", "99999999999999999999999"};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		assert_text(SPARSE("", OFFSET(wrong[i]), NUMBYTES("0"), SIZE("2")), BAD_RECORD);
		assert_text(SPARSE("", OFFSET("0"), NUMBYTES(wrong[i]), SIZE("2")), BAD_RECORD);
		assert_text(SPARSE("", SIZE(wrong[i])), BAD_RECORD);
		assert_text(SPARSE("", MAJOR(wrong[i]), MINOR("0")), BAD_RECORD);
	}
	assert_text(SPARSE("", SIZE("20"), REALSIZE("20")), "file f 644 0:0 1000 20\n");
	assert_text(SPARSE("", SIZE("20"), REALSIZE("21")),
		WRONG "extended header: a sparse file of two sizes\n");
	assert_text(SPARSE("", SIZE("9223372036854775807")),
		"error 12: tar entry at byte 0: a file of 9223372036854775807 bytes; the limit is "
		"68719476736\n");
}

/* The map of format 1.0 lies in front of the data, padded to a block. */
static char *in_data(const char *map, const char *major, const char *minor, const char *size,
	const char *contents)
{
	char data[4096] = {0};
	size_t n = strlen(map), at = (n + 511) / 512 * 512, k = strlen(contents);
	memcpy(data, map, n);
	memcpy(data + at, contents, k);
	return list_as('0', RECORDS(MAJOR(major), MINOR(minor), REALSIZE(size)), data, at + k);
}

static void maps_in_the_data(void **state)
{
	(void)state;
	assert_text(in_data("1\n5\n2\n", "1", "0", "20", "hi"), "file f 644 0:0 1000 20\n");
	assert_text(in_data("0\n", "1", "0", "20", ""), "file f 644 0:0 1000 20\n");
	assert_text(in_data("0\n", "1", "0", "20", "hi"), WRONG_MAP);
	assert_text(in_data("2\n5\n2\n", "1", "0", "20", "hi"), WRONG_MAP);
	assert_text(in_data("1\n5\n2", "1", "0", "20", "hi"), WRONG_MAP);
	assert_text(in_data("1\n\n2\n", "1", "0", "20", "hi"), WRONG_MAP);
	assert_text(in_data("1\n-5\n2\n", "1", "0", "20", "hi"), WRONG_MAP);
	assert_text(in_data("", "1", "0", "20", ""), WRONG_MAP);
	assert_text(in_data("999999999999999999\n0\n0\n", "1", "0", "20", ""), WRONG_MAP);
	assert_text(in_data("9999999999999999999\n0\n0\n", "1", "0", "20", ""), WRONG_MAP);
	assert_text(in_data("1\n999999999999999999\n999999999999999999\n", "1", "0", "20", "hi"),
		WRONG_MAP);
	/* Versions that nobody writes, and half of one. */
	assert_text(in_data("1\n5\n2\n", "1", "1", "20", "hi"), VERSION);
	assert_text(in_data("1\n5\n2\n", "2", "0", "20", "hi"), VERSION);
	assert_text(in_data("1\n5\n2\n", "0", "2", "20", "hi"), VERSION);
	assert_text(SPARSE("", MAJOR("1"), SIZE("20")), VERSION);
	assert_text(SPARSE("", MINOR("0"), SIZE("20")), VERSION);
	assert_text(SPARSE("hi", MAJOR("0"), MINOR("1"), MAP("5,2"), SIZE("20")),
		"file f 644 0:0 1000 20\n");
}

/* Readers take the name of the sparse records, wherever the other one stands. */
static void the_name_of_a_sparse_file(void **state)
{
	(void)state;
	const struct rec real = {"GNU.sparse.name", "real"}, path = {"path", "GNUSparse/x"};
	assert_text(SPARSE("", path, real, SIZE("9")), "file real 644 0:0 1000 9\n");
	assert_text(SPARSE("", real, path, SIZE("9")), "file real 644 0:0 1000 9\n");
	assert_text(SPARSE("", real, {"path", ""}, SIZE("9")), "file real 644 0:0 1000 9\n");
	assert_text(SPARSE("", path, {"GNU.sparse.name", ""}, SIZE("9")),
		"file GNUSparse/x 644 0:0 1000 9\n");
}

static void only_files_are_sparse(void **state)
{
	(void)state;
	static const char types[] = {'1', '2', '5', '6'};
	for (size_t i = 0; i < sizeof types; i++)
		assert_text(list_as(types[i], RECORDS(MAP(""), SIZE("20")), "", 0),
			WRONG "a sparse map of what is no file\n");
}

/* --- old GNU headers ------------------------------------------------------------------------- */

static void seal(unsigned char *h)
{
	unsigned sum = 0;
	memset(h + 148, ' ', 8);
	for (size_t i = 0; i < 512; i++)
		sum += h[i];
	snprintf((char *)h + 148, 8, "%06o", sum);
}

static void pair(unsigned char *at, const char *off, const char *len)
{
	memcpy(at, off, strnlen(off, 12));
	memcpy(at + 12, len, strnlen(len, 12));
}

/* Pieces in the header, and `more` of them in continuation blocks, each one byte. */
static char *old_sparse(
	const char *off, const char *len, const char *realsize, size_t more, const char *data)
{
	struct buf b, rest;
	unsigned char block[512];
	char text[13];
	buf_init(&b, 1 << 20);
	buf_init(&rest, 1 << 20);
	kit_raw(&rest, "f", 'S', "", data, strlen(data));
	unsigned char *h = (unsigned char *)rest.data;
	memcpy(h + 257, "ustar  ", 8);
	pair(h + 386, off, len);
	memcpy(h + 483, realsize, strnlen(realsize, 12));
	h[482] = more > 0;
	seal(h);
	buf_add(&b, h, 512);
	for (size_t done = 0; done < more;) {
		memset(block, 0, sizeof block);
		for (size_t i = 0; i < 21 && done < more; i++, done++) {
			snprintf(text, sizeof text, "%011zo", 100 + 2 * done);
			pair(block + 24 * i, text, "00000000001");
		}
		block[504] = done < more;
		buf_add(&b, block, sizeof block);
	}
	buf_add(&b, rest.data + 512, rest.len - 512);
	kit_end(&b);
	int fd = kit_fd_of(b.data, b.len);
	char *list = kit_list(fd);
	close(fd);
	buf_clear(&b);
	buf_clear(&rest);
	return list;
}

#define BASE256_MAX  "\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff"
#define BASE256_OVER "\x80\0\0\0\x80\0\0\0\0\0\0\0"
#define BASE256_LESS "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"

static void old_gnu_maps(void **state)
{
	(void)state;
	char z[64];
	memset(z, 'z', sizeof z - 1);
	z[63] = 0;
	assert_text(old_sparse("00000000005", "00000000002", "00000000024", 0, "hi"),
		"file f 644 0:0 1000 20\n");
	assert_text(old_sparse("00000000005", "00000000000", "00000001000", 63, z),
		"file f 644 0:0 1000 512\n");
	assert_text(old_sparse("00000000005", "00000000001", "00000001000", 63, z), WRONG_MAP);
	assert_text(old_sparse("00000000005", "00000000002", "00000000006", 0, "hi"), WRONG_MAP);
	assert_text(old_sparse("x", "00000000002", "00000000024", 0, "hi"),
		WRONG "the sparse field is not a number\n");
	assert_text(old_sparse("00000000005", "00000000002", "x", 0, "hi"),
		WRONG "the size field is not a number\n");
}

static char *old_binary(const char off[12], const char len[12], const char realsize[12])
{
	struct buf b;
	buf_init(&b, 1 << 20);
	kit_raw(&b, "f", 'S', "", "hi", 2);
	unsigned char *h = (unsigned char *)b.data;
	memcpy(h + 386, off, 12);
	memcpy(h + 398, len, 12);
	memcpy(h + 483, realsize, 12);
	seal(h);
	kit_end(&b);
	int fd = kit_fd_of(b.data, b.len);
	char *list = kit_list(fd);
	close(fd);
	buf_clear(&b);
	return list;
}

static void old_gnu_numbers_at_their_ends(void **state)
{
	(void)state;
	static const char two[12] = "00000000002", twenty[12] = "00000000024";
	assert_text(old_binary(BASE256_MAX, two, twenty), WRONG_MAP);
	assert_text(old_binary(two, BASE256_MAX, twenty), WRONG_MAP);
	assert_text(old_binary(BASE256_MAX, BASE256_MAX, twenty), WRONG_MAP);
	assert_text(old_binary(BASE256_LESS, two, twenty), WRONG_MAP);
	assert_text(old_binary(two, BASE256_LESS, twenty), WRONG_MAP);
	assert_text(old_binary(two, two, BASE256_LESS), WRONG "a negative size\n");
	assert_text(
		old_binary(BASE256_OVER, two, twenty), WRONG "the sparse field is not a number\n");
	assert_text(old_binary(two, two, BASE256_MAX),
		"error 12: tar entry at byte 0: a file of 9223372036854775807 bytes; the limit is "
		"68719476736\n");
}

/* --- numbers that the writer hands on ----------------------------------------------------------
 */

/* Written by our writer and read again: the same time. */
static void times_survive_our_own_tar(void **state)
{
	(void)state;
	static const int64_t times[] = {INT64_MAX, INT64_MAX - 1, INT64_MIN, INT64_MIN + 1, -1, 0,
		((int64_t)1 << 33) - 1, (int64_t)1 << 33};
	for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
		char want[200];
		int fd = KIT_TAR({.path = "d", .type = LAYER_DIR, .mode = 0755, .mtime = times[i]});
		snprintf(want, sizeof want, "dir d 755 0:0 %lld\n", (long long)times[i]);
		assert_text(kit_list(fd), want);
		close(fd);
	}
}

static void times_at_their_ends(void **state)
{
	(void)state;
	static const struct {
		const char *text, *want;
	} cases[] = {
		{"9223372036854775807", "file f 644 0:0 9223372036854775807 0\n"},
		{"9223372036854775807.9", "file f 644 0:0 9223372036854775807 0\n"},
		{"-9223372036854775808", "file f 644 0:0 -9223372036854775808 0\n"},
		{"-9223372036854775808.0", "file f 644 0:0 -9223372036854775808 0\n"},
		{"-9223372036854775807.5", "file f 644 0:0 -9223372036854775808 0\n"},
		{"9223372036854775808", NULL},
		{"-9223372036854775809", NULL},
		{"-9223372036854775808.5", NULL},
		{"-", NULL},
		{".5", NULL},
		{"--1", NULL},
		{"1.5x", NULL},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_text(list_as('0', RECORDS({"mtime", cases[i].text}), "", 0),
			cases[i].want ? cases[i].want : WRONG "extended header: malformed mtime\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_length_has_its_offset),
		cmocka_unit_test(nothing_is_left_for_the_next_entry),
		cmocka_unit_test(formats_are_not_mixed),
		cmocka_unit_test(maps_of_one_record),
		cmocka_unit_test(numbers_of_records),
		cmocka_unit_test(maps_in_the_data),
		cmocka_unit_test(the_name_of_a_sparse_file),
		cmocka_unit_test(only_files_are_sparse),
		cmocka_unit_test(old_gnu_maps),
		cmocka_unit_test(old_gnu_numbers_at_their_ends),
		cmocka_unit_test(times_survive_our_own_tar),
		cmocka_unit_test(times_at_their_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
