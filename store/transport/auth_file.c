// SPDX-License-Identifier: Apache-2.0
/*
 * The files in which podman and docker keep credentials, in podman's order; the first that has an
 * answer wins, and one that cannot be read ends the search. Everything read is wiped, and the
 * parser's message is never shown, since it may quote a password. Writing replaces the file and
 * wants a directory that nobody else can change.
 */
#include "store/transport/auth_file.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/base/fs.h"
#include "store/base/jsonx.h"
#include "store/base/mem.h"
#include "store/base/strlist.h"
#include "store/owned.h"
#include "store/transport/auth_helper.h"

#define HUB_KEY "https://index.docker.io/v1/"

void auth_file_clear(struct auth_credentials *c)
{
	free(c->user);
	secret_free(c->password);
	secret_free(c->identity);
	*c = (struct auth_credentials){0};
}

/* --- places --------------------------------------------------------------------------- */

static const char *absolute(const char *variable)
{
	const char *v = getenv(variable);
	return v && *v == '/' ? v : NULL;
}

static const char *chosen(const char *authfile)
{
	const char *v = authfile ? authfile : getenv("REGISTRY_AUTH_FILE");
	return v && *v ? v : NULL;
}

/* Most important first; login writes the first. ~/.dockercfg, the last, is a map without "auths".
 */
static void places(const char *authfile, struct strlist *out)
{
	const char *home = absolute("HOME");

	if (chosen(authfile)) {
		strlist_add(out, chosen(authfile));
		return;
	}
	if (absolute("XDG_RUNTIME_DIR"))
		strlist_addf(out, "%s/containers/auth.json", absolute("XDG_RUNTIME_DIR"));
	else if (geteuid() == 0 || !home)
		strlist_addf(out, "/run/containers/%u/auth.json", (unsigned)geteuid());
	if (absolute("XDG_CONFIG_HOME"))
		strlist_addf(out, "%s/containers/auth.json", absolute("XDG_CONFIG_HOME"));
	else if (home)
		strlist_addf(out, "%s/.config/containers/auth.json", home);
	if (absolute("DOCKER_CONFIG"))
		strlist_addf(out, "%s/config.json", absolute("DOCKER_CONFIG"));
	else if (home)
		strlist_addf(out, "%s/.docker/config.json", home);
	if (home)
		strlist_addf(out, "%s/.dockercfg", home);
}

static bool is_legacy(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash && strcmp(slash, "/.dockercfg") == 0;
}

/* Docker's own file names its Hub by URL, and so does its helper protocol. */
static const char *key_for(const char *path, const char *host)
{
	const char *slash = strrchr(path, '/');
	bool docker =
		slash && (strcmp(slash, "/config.json") == 0 || strcmp(slash, "/.dockercfg") == 0);
	return docker && strcmp(host, "docker.io") == 0 ? HUB_KEY : host;
}

static const char *server_for(const char *host)
{
	return strcmp(host, "docker.io") == 0 ? HUB_KEY : host;
}

/* --- reading ------------------------------------------------------------------------------ */

/* One that may not be read may have said something: going on without it is no answer. */
static int unreadable(const char *shown, struct err **err)
{
	int error = errno;

	err_sys_kind(err, ERR_CONTEXT, "credentials: %s", shown);
	if (error != EACCES)
		return -1;
	return err_hint(err,
		"it was looked for there because HOME, XDG_RUNTIME_DIR, XDG_CONFIG_HOME "
		"or DOCKER_CONFIG says so; --authfile names another file");
}

/* A pipe is of the one who started us. */
static int auth_file_check_file(int fd, const char *path, struct err **err)
{
	struct stat st;
	auto_free char *shown = fs_printable(path);

	if (fstat(fd, &st) < 0)
		return err_sys_kind(err, ERR_CONTEXT, "credentials: %s", shown);
	if (S_ISFIFO(st.st_mode))
		return 0;
	if (S_ISREG(st.st_mode))
		return owned_file(fd, path, err);
	return err_set(err, ERR_CONTEXT, "credentials: %s: %s", shown,
		S_ISDIR(st.st_mode) ? "is a directory" : "not a regular file");
}

/* 1 read, 0 there is no such file, -1. */
static int read_doc(const char *path, json_t **out, struct err **err)
{
	auto_secret_buf struct buf b;
	auto_free char *shown = fs_printable(path);

	buf_init(&b, AUTH_FILE_MAX);
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (fd < 0)
		return unreadable(shown, err);
	if (auth_file_check_file(fd, path, err) < 0)
		return -1;
	if (fs_read_fd(fd, AUTH_FILE_MAX, shown, &b, err) < 0)
		return err_prefix(err, "credentials");
	/* Nothing of the parser's message: it may quote the file. */
	*out = jsonx_load(b.data, b.len, AUTH_FILE_MAX, shown, NULL);
	if (!json_is_object(*out)) {
		if (*out)
			json_decref(*out);
		*out = NULL;
		return err_set(err, ERR_AUTH, "credentials: %s is not a JSON object", shown);
	}
	return 1;
}

static const char *text_of(json_t *o, const char *key)
{
	json_t *v = json_object_get(o, key);
	return json_is_string(v) && json_string_length(v) > 0 ? json_string_value(v) : NULL;
}

/* One member of "auths". 1 / 0 (an empty marker) / -1. */
static int entry_credentials(
	json_t *entry, const char *path, struct auth_credentials *out, struct err **err)
{
	const char *auth = text_of(entry, "auth");
	const char *user = text_of(entry, "username"), *password = text_of(entry, "password");
	auto_secret struct secret *plain = NULL;
	const char *colon;

	if (text_of(entry, "identitytoken")) {
		out->identity = secret_of(text_of(entry, "identitytoken"));
		return 1;
	}
	if (!auth && user && password) {
		out->user = mem_strdup(user);
		out->password = secret_of(password);
		return 1;
	}
	if (!auth)
		return 0;
	plain = secret_base64_decode(auth);
	colon = plain ? memchr(secret_text(plain), ':', secret_length(plain)) : NULL;
	if (!colon || memchr(secret_text(plain), '\0', secret_length(plain))) {
		auto_free char *shown = fs_printable(path);
		return err_set(err, ERR_AUTH, "credentials: %s has a malformed \"auth\"", shown);
	}
	out->user = mem_strndup(secret_text(plain), (size_t)(colon - secret_text(plain)));
	out->password = secret_of(colon + 1);
	return 1;
}

/* "https://h/v1/" -> "h"; the names of Docker's Hub are one. Owned. */
static char *plain_host(const char *key)
{
	const char *p = strstr(key, "://");
	char *host;

	p = p ? p + 3 : key;
	host = mem_strndup(p, strcspn(p, "/"));
	if (strcmp(host, "index.docker.io") == 0 || strcmp(host, "registry-1.docker.io") == 0) {
		free(host);
		host = mem_strdup("docker.io");
	}
	return host;
}

static json_t *auth_file_find_entry(json_t *auths, const char *host, const char *path)
{
	auto_free char *want = plain_host(host);
	auto_free char *full = mem_printf("%s%s%s", host, path ? "/" : "", path ? path : "");
	const char *key;
	json_t *v;

	for (;;) { /* host/ns/image, host/ns, host */
		char *slash = strrchr(full, '/');

		v = json_object_get(auths, full);
		if (json_is_object(v) && json_object_size(v) > 0)
			return v;
		if (!slash)
			break;
		*slash = '\0';
	}
	json_object_foreach(auths, key, v)
	{
		auto_free char *have = plain_host(key);
		/* A path without scheme is a namespace: it was matched above or is another's. */
		bool is_host = strstr(key, "://") || !strchr(key, '/');

		if (is_host && strcmp(have, want) == 0 && json_is_object(v) &&
			json_object_size(v) > 0)
			return v;
	}
	return NULL;
}

static int auth_file_find_in(json_t *doc, const char *file, const char *host, const char *path,
	struct auth_credentials *out, struct err **err)
{
	bool legacy = is_legacy(file);
	const char *helper = text_of(json_object_get(doc, "credHelpers"), host);
	json_t *entry;
	int rc = 0;

	if (!helper)
		helper = text_of(json_object_get(doc, "credHelpers"), server_for(host));
	if (helper && !legacy)
		return auth_helper_get(helper, server_for(host), out, err);
	entry = auth_file_find_entry(legacy ? doc : json_object_get(doc, "auths"), host, path);
	if (entry)
		rc = entry_credentials(entry, file, out, err);
	helper = text_of(doc, "credsStore");
	if (rc == 0 && helper && !legacy)
		rc = auth_helper_get(helper, server_for(host), out, err);
	return rc;
}

int auth_file_find(const char *authfile, const char *host, const char *path,
	struct auth_credentials *out, struct err **err)
{
	auto_strlist struct strlist files = {0};

	places(authfile, &files);
	for (size_t i = 0; i < files.n; i++) {
		auto_secret_json json_t *doc = NULL;
		struct auth_credentials found = {0};
		int rc = read_doc(files.v[i], &doc, err);

		if (rc == 0 && chosen(authfile)) {
			auto_free char *shown = fs_printable(files.v[i]);
			return err_set(err, ERR_CONTEXT, "credentials: %s: no such file", shown);
		}
		if (rc > 0)
			rc = auth_file_find_in(doc, files.v[i], host, path, &found, err);
		if (rc > 0)
			*out = found;
		if (rc != 0)
			return rc;
	}
	return 0;
}

/* --- writing -------------------------------------------------------------------------------- */

static int make_parents(const char *path, struct err **err)
{
	auto_free char *dir = mem_strdup(path);

	for (char *p = dir + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(dir, 0700) < 0 && errno != EEXIST && errno != EROFS && errno != EACCES)
			return err_sys(err, "%s", dir);
		*p = '/';
	}
	return 0;
}

/* Nobody else may have prepared, or can change, where a password goes. */
static int auth_file_check_dir(const char *path, struct err **err)
{
	const char *slash = strrchr(path, '/');
	auto_free char *dir =
		slash ? mem_strndup(path, (size_t)(slash - path) + 1) : mem_strdup(".");
	auto_free char *shown = fs_printable(path);
	auto_fd int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_sys_kind(err, ERR_CONTEXT, "credentials: %s", shown);
	return owned_file_dir(fd, path, err);
}

static int write_doc(const char *path, json_t *doc, struct err **err)
{
	auto_free char *text = json_dumps(doc, JSON_INDENT(4));
	int rc;

	if (!text)
		return err_set(err, ERR_AUTH, "credentials: cannot be written as JSON");
	if (make_parents(path, err) < 0 || auth_file_check_dir(path, err) < 0)
		rc = -1;
	else
		rc = fs_replace_file(AT_FDCWD, path, text, strlen(text), 0600, true, err);
	explicit_bzero(text, strlen(text));
	return rc;
}

static json_t *member_object(json_t *doc, const char *key)
{
	json_t *o = json_object_get(doc, key);

	if (!json_is_object(o)) {
		o = json_object();
		json_object_set_new(doc, key, o);
	}
	return o;
}

int auth_file_store(const char *authfile, const char *host, const char *user,
	const struct secret *password, struct err **err)
{
	auto_strlist struct strlist files = {0};
	auto_secret_json json_t *doc = NULL;
	auto_secret struct secret *basic = secret_basic(user, password);
	const char *helper;

	places(authfile, &files);
	if (read_doc(files.v[0], &doc, err) < 0)
		return -1;
	if (!doc)
		doc = json_object();
	helper = text_of(json_object_get(doc, "credHelpers"), host);
	if (helper)
		return auth_helper_store(helper, server_for(host), user, password, err);
	json_object_set_new(member_object(doc, "auths"), key_for(files.v[0], host),
		json_pack("{s:s}", "auth", secret_text(basic) + strlen("Basic ")));
	return write_doc(files.v[0], doc, err);
}

int auth_file_erase(const char *authfile, const char *host, struct err **err)
{
	auto_strlist struct strlist files = {0};
	auto_secret_json json_t *doc = NULL;
	const char *helper;
	json_t *auths;

	places(authfile, &files);
	if (read_doc(files.v[0], &doc, err) < 0)
		return -1;
	helper = text_of(json_object_get(doc, "credHelpers"), host);
	if (helper)
		return auth_helper_erase(helper, server_for(host), err);
	auths = json_object_get(doc, "auths");
	if (json_object_del(auths, host) < 0 &&
		json_object_del(auths, key_for(files.v[0], host)) < 0) {
		auto_free char *shown = fs_printable(files.v[0]);
		auto_free char *name = fs_printable(host);
		return err_set(err, ERR_NOT_FOUND, "not logged in to %s (%s)", name, shown);
	}
	return write_doc(files.v[0], doc, err);
}
