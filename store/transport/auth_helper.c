// SPDX-License-Identifier: Apache-2.0
/*
 * docker-credential-NAME as a child: the server's name or a JSON document on its standard input,
 * the answer on its output, in memory that is wiped. The name is checked because it becomes part of
 * a program's name; a helper that finds nothing says so in words, with a status that is not 0.
 */
#include "store/transport/auth_helper.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/child.h"
#include "store/base/fs.h"
#include "store/base/jsonx.h"
#include "store/base/mem.h"
#include "store/transport/secret.h"

static int auth_helper_check_name(const char *helper, struct err **err)
{
	auto_free char *shown = NULL;

	if (*helper && *helper != '.' && strlen(helper) < 128) {
		const char *c = helper;
		while (isalnum((unsigned char)*c) || (*c && strchr("._-", *c)))
			c++;
		if (*c == '\0')
			return 0;
	}
	shown = fs_printable(helper);
	return err_set(err, ERR_AUTH, "credential helper \"%s\": not a valid name", shown);
}

static int auth_helper_not_run(
	const char *program, const char *verb, enum child_end end, int value, struct err **err)
{
	switch (end) {
	case CHILD_LATE:
		return err_set(err, ERR_AUTH, "%s %s: no answer within %d s", program, verb,
			AUTH_HELPER_TIMEOUT_MS / 1000);
	case CHILD_TALKATIVE:
		return err_set(err, ERR_AUTH, "%s %s: an answer of more than %zu bytes", program,
			verb, AUTH_HELPER_OUTPUT_MAX);
	default:
		errno = value;
		return err_sys_kind(err, ERR_AUTH, "credential helper %s", program);
	}
}

/* Returns the exit status. No session of its own: a helper may ask at the terminal. */
static int auth_helper_run(
	const char *helper, const char *verb, const char *input, struct buf *out, struct err **err)
{
	auto_free char *program = mem_printf("docker-credential-%s", helper);
	auto_free char *word = mem_strdup(verb);
	const struct child_spec spec = {.argv = (char *[]){program, word, NULL}, .dir = AT_FDCWD};
	const struct child_talk talk = {.input = input,
		.input_len = strlen(input),
		.out = out,
		.limit_ms = AUTH_HELPER_TIMEOUT_MS};
	int value;

	if (auth_helper_check_name(helper, err) < 0)
		return -1;
	enum child_end end = child_run(&spec, &talk, &value);
	return end == CHILD_ENDED ? value : auth_helper_not_run(program, verb, end, value, err);
}

int auth_helper_get(
	const char *helper, const char *server, struct auth_credentials *out, struct err **err)
{
	auto_secret_buf struct buf b;
	auto_secret_json json_t *doc = NULL;
	const char *user = NULL, *secret = NULL;
	int rc;

	buf_init(&b, AUTH_HELPER_OUTPUT_MAX);
	rc = auth_helper_run(helper, "get", server, &b, err);
	if (rc < 0)
		return -1;
	if (rc > 0) {
		auto_buf struct buf words;

		buf_init(&words, AUTH_HELPER_OUTPUT_MAX);
		if (strstr(b.data, "credentials not found"))
			return 0;
		buf_add_escaped(&words, b.data,
			strcspn(b.data, "\n") < 200 ? strcspn(b.data, "\n") : 200, false);
		return err_set(err, ERR_AUTH, "docker-credential-%s: exit status %d: %s", helper,
			rc, words.data);
	}
	doc = jsonx_load(b.data, b.len, AUTH_HELPER_OUTPUT_MAX, "its answer", NULL);
	if (!doc || jsonx_string(doc, "Username", true, "", &user, NULL) < 0 ||
		jsonx_string(doc, "Secret", true, "", &secret, NULL) < 0)
		return err_set(err, ERR_AUTH,
			"docker-credential-%s: its answer is not what helpers say", helper);
	if (strcmp(user, "<token>") == 0) {
		out->identity = secret_of(secret);
	} else {
		out->user = mem_strdup(user);
		out->password = secret_of(secret);
	}
	return 1;
}

int auth_helper_store(const char *helper, const char *server, const char *user,
	const struct secret *password, struct err **err)
{
	auto_secret_buf struct buf in, out;
	auto_secret_json json_t *doc = json_pack("{s:s, s:s, s:s}", "ServerURL", server, "Username",
		user, "Secret", secret_text(password));
	char *text = doc ? json_dumps(doc, JSON_COMPACT) : NULL;
	int rc;

	buf_init(&in, AUTH_FILE_MAX);
	buf_init(&out, AUTH_HELPER_OUTPUT_MAX);
	if (!text)
		return err_set(err, ERR_USAGE, "user name or password is not UTF-8");
	buf_adds(&in, text);
	explicit_bzero(text, strlen(text));
	free(text);
	rc = auth_helper_run(helper, "store", in.data, &out, err);
	if (rc > 0)
		return err_set(
			err, ERR_AUTH, "docker-credential-%s store: exit status %d", helper, rc);
	return rc;
}

int auth_helper_erase(const char *helper, const char *server, struct err **err)
{
	auto_secret_buf struct buf out;
	int rc;

	buf_init(&out, AUTH_HELPER_OUTPUT_MAX);
	rc = auth_helper_run(helper, "erase", server, &out, err);
	if (rc > 0)
		return err_set(err, ERR_NOT_FOUND, "docker-credential-%s has no credentials for %s",
			helper, server);
	return rc;
}
