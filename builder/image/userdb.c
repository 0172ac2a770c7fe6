// SPDX-License-Identifier: Apache-2.0
/*
 * /etc/passwd and /etc/group of an image, read from the merged tree and never through the host's
 * libc. Three readers with different rules: USER (groups, home), --chown (a number is its own
 * group), and who makes WORKDIR. A broken line is passed over. The names root and every number work
 * in an image without these files.
 */
#include "builder/image/userdb.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "parser/suggest.h"
#include "store/base/cleanup.h"
#include "store/base/fs.h"
#include "store/base/mem.h"
#include "store/base/strlist.h"
#include "store/tar/entry.h"
#include "store/tree/tree.h"

#define FIELDS   7   /* of /etc/passwd */
#define NEAR_MAX 500 /* names that an unknown one is compared with */
#define ID_MAX   ((uint64_t)UINT32_MAX - 1)
#define NO_ENTRY 0
#define FOUND    1

struct text {
	const char *p;
	size_t n;
};

static bool userdb_same(struct text t, const char *s)
{
	return t.n == strlen(s) && memcmp(t.p, s, t.n) == 0;
}

static bool userdb_all_digits(const char *s)
{
	return *s && !s[strspn(s, "0123456789")];
}

/* The whole text as an id. Digits that are out of range are no id, and no name either. */
static bool parse_id(struct text t, uint32_t *out)
{
	uint64_t v = 0;

	for (size_t i = 0; i < t.n; i++) {
		if (t.p[i] < '0' || t.p[i] > '9')
			return false;
		v = v * 10 + (uint64_t)(t.p[i] - '0');
		if (v > ID_MAX)
			return false;
	}
	*out = (uint32_t)v;
	return t.n > 0;
}

/* /etc/passwd or /etc/group: owned text, or NULL without an error when there is none. */
static char *userdb_load(const struct layer_tree *t, const char *path, struct err **err)
{
	const struct layer_node *n = t ? layer_tree_lookup(t, path, true, NULL, NULL) : NULL;
	size_t len = 0;

	if (!n)
		return NULL;
	if (layer_node_type(n) != LAYER_FILE) {
		err_set(err, ERR_BUILD, "%s in the image is not a regular file", path);
		return NULL;
	}
	char *text = layer_node_read(n, USERDB_FILE_MAX, &len, err);
	if (!text) {
		err_prefix(err, "%s in the image", path);
		return NULL;
	}
	for (size_t i = 0; i < len; i++) /* a line with a NUL matches nothing */
		if (!text[i])
			text[i] = '\1';
	return text;
}

/* Fields of the line at *p, which moves to the next one. 0 at the end. */
static size_t next_line(const char **p, struct text v[FIELDS])
{
	const char *s = *p, *end = s + strcspn(s, "\n");
	size_t n = 0;

	if (!*s)
		return 0;
	*p = *end ? end + 1 : end;
	if (end > s && end[-1] == '\r')
		end--;
	for (;;) {
		const char *colon = n + 1 < FIELDS ? memchr(s, ':', (size_t)(end - s)) : NULL;
		v[n++] = (struct text){s, (size_t)((colon ? colon : end) - s)};
		if (!colon)
			return n;
		s = colon + 1;
	}
}

struct account {
	struct text name;
	uint32_t uid;
	uint32_t gid;
	struct text home;
};

/* The first usable line of passwd with this name, or with this uid when name is NULL. */
static bool find_user(const char *passwd, const char *name, uint32_t uid, struct account *out)
{
	struct text v[FIELDS];
	size_t n;

	while (passwd && (n = next_line(&passwd, v)) > 0) {
		struct account a = {.name = v[0]};
		if (n < 4 || !v[0].n || !parse_id(v[2], &a.uid) || !parse_id(v[3], &a.gid))
			continue;
		if (name ? !userdb_same(v[0], name) : a.uid != uid)
			continue;
		if (n > 5)
			a.home = v[5];
		*out = a;
		return true;
	}
	return false;
}

static bool find_group(const char *group, const char *name, uint32_t *gid)
{
	struct text v[FIELDS];
	size_t n;

	while (group && (n = next_line(&group, v)) > 0)
		if (n >= 3 && v[0].n && userdb_same(v[0], name) && parse_id(v[2], gid))
			return true;
	return false;
}

static bool lists_member(struct text members, struct text name)
{
	while (members.n) {
		const char *comma = memchr(members.p, ',', members.n);
		size_t n = comma ? (size_t)(comma - members.p) : members.n;
		if (n == name.n && memcmp(members.p, name.p, n) == 0)
			return true;
		n += comma != NULL;
		members.p += n;
		members.n -= n;
	}
	return false;
}

static int add_group(struct userdb_user *u, uint32_t gid, struct err **err)
{
	for (size_t i = 0; i < u->ngroups; i++)
		if (u->groups[i] == gid)
			return 0;
	if (u->ngroups == USERDB_GROUPS_MAX)
		return err_set(
			err, ERR_BUILD, "the user is in more than %d groups", USERDB_GROUPS_MAX);
	if (!u->groups)
		u->groups = mem_array(USERDB_GROUPS_MAX, sizeof *u->groups);
	u->groups[u->ngroups++] = gid;
	return 0;
}

static int add_memberships(
	struct userdb_user *u, const char *group, struct text name, struct err **err)
{
	struct text v[FIELDS];
	uint32_t gid;
	size_t n;

	while (group && (n = next_line(&group, v)) > 0)
		if (n >= 4 && v[0].n && parse_id(v[2], &gid) && lists_member(v[3], name) &&
			add_group(u, gid, err) < 0)
			return -1;
	return 0;
}

/* What may have been meant, from the data base (NULL: there is none). */
static void hint_names(const char *db, const char *name, const char *file, struct err **err)
{
	auto_strlist struct strlist names = {0};
	struct text v[FIELDS];
	size_t n;

	if (!db) {
		err_hint(err, "the image has no %s; use a number", file);
		return;
	}
	while (names.n < NEAR_MAX && (n = next_line(&db, v)) > 0)
		if (n >= 3 && v[0].n && v[0].n <= SUGGEST_WORD_MAX)
			strlist_add_take(&names, mem_strndup(v[0].p, v[0].n));
	const char *near =
		names.n ? suggest_nearest(slice_of(name), (const char *const *)names.v, names.n)
			: NULL;
	if (!near)
		return;
	auto_free char *shown = fs_printable(near);
	err_hint(err, "did you mean %s?", shown);
}

static int userdb_unknown(
	const char *what, const char *name, const char *file, const char *db, struct err **err)
{
	auto_free char *shown = fs_printable(name);

	if (userdb_all_digits(name))
		return err_set(err, ERR_BUILD, "%s id %s is out of range", what, shown);
	err_set(err, ERR_BUILD, "there is no %s \"%s\" in %s of the image", what, shown, file);
	hint_names(db, name, file, err);
	return -1;
}

static int userdb_pass_on(struct err *take_bad, struct err **err)
{
	if (err)
		*err = take_bad;
	else
		err_free(take_bad);
	return -1;
}

/* A group by id or name. */
static int group_id(const struct layer_tree *t, const char *name, uint32_t *gid, struct err **err)
{
	struct err *bad = NULL;

	if (parse_id((struct text){name, strlen(name)}, gid))
		return 0;
	auto_free char *group = userdb_all_digits(name) ? NULL : userdb_load(t, "/etc/group", &bad);
	if (find_group(group, name, gid))
		return 0;
	if (strcmp(name, "root") == 0) {
		err_free(bad);
		*gid = 0;
		return 0;
	}
	return bad ? userdb_pass_on(bad, err)
		   : userdb_unknown("group", name, "/etc/group", group, err);
}

static int userdb_split(const char *text, char **user, char **group, struct err **err)
{
	const char *colon = strchr(text, ':');

	if (colon && strchr(colon + 1, ':')) {
		auto_free char *shown = fs_printable(text);
		return err_set(err, ERR_BUILD, "\"%s\" is not USER[:GROUP]", shown);
	}
	*user = colon ? mem_strndup(text, (size_t)(colon - text)) : mem_strdup(text);
	*group = colon ? mem_strdup(colon + 1) : NULL;
	return 0;
}

/* The account of a user by id or name. FOUND or NO_ENTRY (an id, or root) with a->uid set; -1.
 * strict = false: a file that cannot be read counts as missing for an id. */
static int find_account(const struct layer_tree *t, const char *user, bool strict, char **passwd,
	struct account *a, struct err **err)
{
	uint32_t uid = 0;
	bool id = parse_id((struct text){user, strlen(user)}, &uid);
	bool root = strcmp(user, "root") == 0;
	struct err *bad = NULL;

	*a = (struct account){.uid = uid};
	if (!id && userdb_all_digits(user))
		return userdb_unknown("user", user, "/etc/passwd", NULL, err);
	*passwd = userdb_load(t, "/etc/passwd", &bad);
	if (find_user(*passwd, id ? NULL : user, uid, a))
		return FOUND;
	if (bad && strict && !root)
		return userdb_pass_on(bad, err);
	err_free(bad);
	return id || root ? NO_ENTRY : userdb_unknown("user", user, "/etc/passwd", *passwd, err);
}

/* Supplementary groups of a user that passwd knows. */
static int fill_groups(
	const struct layer_tree *t, struct text name, struct userdb_user *u, struct err **err)
{
	struct err *bad = NULL;
	auto_free char *groups = userdb_load(t, "/etc/group", &bad);

	return bad ? userdb_pass_on(bad, err) : add_memberships(u, groups, name, err);
}

static int userdb_fill(const struct layer_tree *t, const char *user, const char *group,
	struct userdb_user *u, struct err **err)
{
	auto_free char *passwd = NULL;
	struct account a;
	/* Without a user, and with both ids given, nothing of the image can fail the look-up. */
	bool implied = !*user;
	bool ids = group && userdb_all_digits(group);
	int rc = find_account(t, implied ? "0" : user, !implied && !ids, &passwd, &a, err);

	if (rc < 0)
		return -1;
	u->uid = a.uid;
	u->gid = implied && !group ? 0 : a.gid;
	u->home = a.home.n ? mem_strndup(a.home.p, a.home.n) : mem_strdup("/");
	if (group && group_id(t, group, &u->gid, err) < 0)
		return -1;
	if (add_group(u, u->gid, err) < 0)
		return -1;
	if (group || rc == NO_ENTRY)
		return 0;
	if (!implied)
		return fill_groups(t, a.name, u, err);
	fill_groups(t, a.name, u, NULL);
	return 0;
}

int userdb_user(
	const struct layer_tree *t, const char *text, struct userdb_user *out, struct err **err)
{
	auto_free char *user = NULL, *group = NULL;
	struct userdb_user u = {0};

	if (userdb_split(text, &user, &group, err) < 0)
		return -1;
	if (group && !*group) { /* "u:" is "u" */
		free(group);
		group = NULL;
	}
	if (userdb_fill(t, user, group, &u, err) < 0) {
		userdb_user_clear(&u);
		return -1;
	}
	*out = u;
	return 0;
}

int userdb_owner(const struct layer_tree *t, const char *text, uint32_t *uid, uint32_t *gid,
	struct err **err)
{
	auto_free char *user = NULL, *group = NULL, *passwd = NULL;
	struct account a = {0};
	uint32_t g = 0;

	if (userdb_split(text, &user, &group, err) < 0)
		return -1;
	bool id = parse_id((struct text){user, strlen(user)}, &a.uid);
	bool root = !*user || strcmp(user, "root") == 0;
	if (!id && !root && find_account(t, user, true, &passwd, &a, err) < 0)
		return -1;
	if (!group)
		g = id ? a.uid : a.gid;
	else if (*group && group_id(t, group, &g, err) < 0)
		return -1;
	*uid = a.uid;
	*gid = g;
	return 0;
}

int userdb_maker(const struct layer_tree *t, const char *text, uint32_t *uid, uint32_t *gid,
	struct err **err)
{
	auto_free char *user = NULL, *group = NULL, *passwd = NULL, *groups = NULL;
	struct account a = {0};
	struct err *bad = NULL;

	if (userdb_split(text, &user, &group, err) < 0)
		return -1;
	bool id = parse_id((struct text){user, strlen(user)}, &a.uid);
	if (!id && userdb_all_digits(user))
		return userdb_unknown("user", user, "/etc/passwd", NULL, err);
	a.gid = a.uid;
	if (!id && *user)
		passwd = userdb_load(t, "/etc/passwd", &bad);
	if (bad)
		return userdb_pass_on(bad, err);
	find_user(passwd, user, 0, &a);
	*uid = a.uid;
	*gid = a.gid;
	if (!group || !*group || parse_id((struct text){group, strlen(group)}, gid))
		return 0;
	if (userdb_all_digits(group))
		return userdb_unknown("group", group, "/etc/group", NULL, err);
	groups = userdb_load(t, "/etc/group", &bad);
	if (bad)
		return userdb_pass_on(bad, err);
	if (!find_group(groups, group, gid) && strcmp(group, "root") == 0)
		*gid = 0;
	return 0;
}

bool userdb_is_number(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	return digits && (!text[digits] || strcmp(text + digits, ":") == 0);
}

void userdb_user_clear(struct userdb_user *u)
{
	free(u->groups);
	free(u->home);
	*u = (struct userdb_user){0};
}
