// SPDX-License-Identifier: Apache-2.0
/*
 * Servers for tests. fake_registry.py is started once for a test program and makes a scripted
 * server for each line it gets; docker-registry is started for each test that wants it. Both die
 * with the test program. HOME and what else leads to credentials point into a directory of the
 * test.
 */
#include "tests/support/fake.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "store/base/buf.h"
#include "store/base/fs.h"
#include "store/base/mem.h"

static void die(const char *what)
{
	perror(what);
	abort();
}

char *fake_dir(const char *name)
{
	const char *tmp = getenv("TMPDIR");
	char *dir = mem_printf("%s/bld-%s-XXXXXX", tmp ? tmp : "/tmp", name);

	if (!mkdtemp(dir))
		die(dir);
	return dir;
}

char *fake_home(const char *name)
{
	char *dir = fake_dir(name);

	setenv("HOME", dir, 1);
	setenv("XDG_RUNTIME_DIR", dir, 1);
	unsetenv("XDG_CONFIG_HOME");
	unsetenv("DOCKER_CONFIG");
	unsetenv("REGISTRY_AUTH_FILE");
	return dir;
}

void fake_remove(const char *dir)
{
	/* The name is absolute, and fs_remove_tree leaves no directory it is given. */
	const char *slash = strrchr(dir, '/');
	auto_free char *parent = mem_strndup(dir, (size_t)(slash - dir));
	auto_fd int fd = open(*parent ? parent : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fs_remove_tree(fd, slash + 1) < 0)
		die(dir);
}

void fake_write(const char *dir, const char *name, const char *text)
{
	char *path = mem_printf("%s/%s", dir, name);
	FILE *f = fopen(path, "w");

	if (!f || fputs(text, f) < 0 || fclose(f) != 0)
		die(path);
	free(path);
}

char *fake_read(const char *dir, const char *name)
{
	auto_free char *path = mem_printf("%s/%s", dir, name);
	struct buf b;

	buf_init(&b, BUF_TEXT_MAX);
	if (fs_read_file(AT_FDCWD, path, BUF_TEXT_MAX, &b, NULL) < 0)
		die(path);
	return buf_take(&b);
}

void fake_credentials(const char *home, const struct fake *f, const char *key, const char *value)
{
	auto_free char *dir = mem_printf("%s/containers", home);
	auto_free char *json =
		mem_printf("{\"auths\":{\"%s\":{\"%s\":\"%s\"}}}", f->host, key, value);

	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		die(dir);
	fake_write(dir, "auth.json", json);
}

static pid_t spawn(char *const argv[], int in, int out, int log)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (pid > 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (in >= 0)
		dup2(in, 0);
	if (out >= 0)
		dup2(out, 1);
	if (log >= 0)
		dup2(log, 2);
	execvp(argv[0], argv);
	_exit(127);
}

int fake_run(const char *fmt, ...)
{
	va_list ap;
	char *text;
	int status;
	pid_t pid;

	va_start(ap, fmt);
	text = mem_vprintf(fmt, ap);
	va_end(ap);
	pid = spawn((char *[]){(char[]){"sh"}, (char[]){"-c"}, text, NULL}, -1, -1, -1);
	if (waitpid(pid, &status, 0) != pid)
		die("waitpid");
	free(text);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

/* --- the scripted server ---------------------------------------------------------------------- */

/* fake_registry.py, started once: it ends when its stdin is closed, at the latest with us. */
static struct {
	pid_t owner; /* a fork of the test program starts one of its own */
	int in, out;
} factory = {.in = -1};

static void name_host(struct fake *f)
{
	snprintf(f->host, sizeof f->host, "127.0.0.1:%d", f->port);
}

static void start_factory(void)
{
	int in[2], out[2];

	if (factory.owner == getpid())
		return;
	if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0)
		die("pipe");
	spawn((char *[]){(char[]){"python3"}, (char[]){"-I"},
		      (char[]){"tests/support/fake_registry.py"}, NULL},
		in[0], out[1], -1);
	close(in[0]);
	close(out[1]);
	factory.owner = getpid();
	factory.in = in[1];
	factory.out = out[0];
}

/* The factory's line for one server. All of the names are our own, without a quote. */
static void order(const struct fake *f, const char *layout, const char *tls)
{
	if (dprintf(factory.in, "{\"script\": \"%s/rules\", \"log\": \"%s/log\"", f->dir, f->dir) <
			0 ||
		(layout && dprintf(factory.in, ", \"layout\": \"%s\"", layout) < 0) ||
		(tls && dprintf(factory.in, ", \"cert\": \"%s/ca.crt\", \"key\": \"%s/ca.key\"",
				tls, tls) < 0) ||
		dprintf(factory.in, "}\n") < 0)
		die("fake_registry.py");
}

void fake_start_with(struct fake *f, const char *rules, const char *layout, const char *tls)
{
	char line[64] = "", *end;
	size_t n = 0;

	start_factory();
	*f = (struct fake){.dir = fake_dir("fake")};
	fake_write(f->dir, "rules", rules);
	fake_write(f->dir, "log", "");
	order(f, layout, tls);
	while (n < sizeof line - 1 && !strchr(line, '\n')) {
		ssize_t r = read(factory.out, line + n, sizeof line - 1 - n);
		if (r <= 0)
			die("fake_registry.py does not start");
		n += (size_t)r;
		line[n] = '\0';
	}
	f->port = (int)strtol(line, &end, 10);
	f->other = (int)strtol(end, &end, 10);
	f->pidfd = (int)syscall(SYS_pidfd_open, (pid_t)strtol(end, NULL, 10), 0);
	if (f->pidfd < 0)
		die("pidfd_open");
	name_host(f);
}

void fake_start(struct fake *f, const char *rules)
{
	fake_start_with(f, rules, NULL, NULL);
}

void fake_startf(struct fake *f, const char *rules, ...)
{
	va_list ap;

	va_start(ap, rules);
	auto_free char *text = mem_vprintf(rules, ap);
	va_end(ap);
	fake_start(f, text);
}

/* --- docker-registry -------------------------------------------------------------------------- */

static int try_connect(int port)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int r = connect(fd, (struct sockaddr *)&a, sizeof a);

	close(fd);
	return r;
}

static int free_port(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (bind(fd, (struct sockaddr *)&a, sizeof a) < 0 ||
		getsockname(fd, (struct sockaddr *)&a, &len) < 0)
		die("no free port");
	close(fd);
	return ntohs(a.sin_port);
}

static char *replace(const char *text, const char *word, const char *value)
{
	struct buf b;
	const char *p;

	buf_init(&b, BUF_TEXT_MAX);
	while ((p = strstr(text, word))) {
		buf_add(&b, text, (size_t)(p - text));
		buf_adds(&b, value);
		text = p + strlen(word);
	}
	buf_adds(&b, text);
	return buf_take(&b);
}

void fake_start_docker(struct fake *f, const char *extra, bool tls)
{
	*f = (struct fake){.dir = fake_dir("registry"), .pidfd = -1, .port = free_port()};
	char *more = replace(extra ? extra : "", "{dir}", f->dir);
	char *secure =
		mem_printf("  tls: {certificate: %s/ca.crt, key: %s/ca.key}\n", f->dir, f->dir);
	char *yaml = mem_printf(
		"version: 0.1\n"
		"log: {level: error, accesslog: {disabled: true}}\n"
		"storage: {filesystem: {rootdirectory: %s/data}, delete: {enabled: true}}\n"
		"http:\n  addr: 127.0.0.1:%d\n%s%s",
		f->dir, f->port, tls ? secure : "", more);

	if (tls)
		fake_certificate(f->dir);
	fake_write(f->dir, "config.yml", yaml);
	fake_write(f->dir, "log", "");
	char *conf = mem_printf("%s/config.yml", f->dir);
	char *log = mem_printf("%s/log", f->dir);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int to = open(log, O_WRONLY | O_APPEND | O_CLOEXEC);
	f->pid = spawn((char *[]){(char[]){"docker-registry"}, (char[]){"serve"}, conf, NULL}, null,
		null, to);
	close(null);
	close(to);
	free(log);
	for (int i = 0; try_connect(f->port) < 0; i++) {
		if (i > 500 || waitpid(f->pid, NULL, WNOHANG) == f->pid)
			die("docker-registry does not start");
		nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
	}
	name_host(f);
	free(conf);
	free(yaml);
	free(secure);
	free(more);
}

void fake_start_docker_login(struct fake *f, const char *home)
{
	auto_free char *extra =
		mem_printf("auth:\n  htpasswd: {realm: test, path: %s/htpasswd}\n", home);

	if (fake_run("htpasswd -Bbn alice 's3cret:with colon' >%s/htpasswd 2>/dev/null", home) != 0)
		die("htpasswd");
	fake_start_docker(f, extra, false);
}

/* --- what a test asks of either ----------------------------------------------------------------
 */

void fake_stop(struct fake *f)
{
	if (f->pid > 0) {
		kill(f->pid, SIGKILL);
		waitpid(f->pid, NULL, 0);
	} else if (f->dir) { /* a child of the factory */
		syscall(SYS_pidfd_send_signal, f->pidfd, SIGKILL, NULL, 0);
		while (poll(&(struct pollfd){.fd = f->pidfd, .events = POLLIN}, 1, -1) < 0)
			;
		close(f->pidfd);
	}
	if (f->dir)
		fake_remove(f->dir);
	free(f->dir);
	*f = (struct fake){0};
}

char *fake_url(const struct fake *f, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	auto_free char *rest = mem_vprintf(fmt, ap);
	va_end(ap);
	return mem_printf("http://%s%s", f->host, rest);
}

char *fake_log(const struct fake *f)
{
	return fake_read(f->dir, "log");
}

int fake_count(const struct fake *f, const char *a, const char *b)
{
	char *log = fake_log(f);
	int n = 0;

	for (char *line = log, *next; *line; line = next) {
		next = strchrnul(line, '\n');
		if (*next)
			*next++ = '\0';
		n += strstr(line, a) && (!b || strstr(line, b));
	}
	free(log);
	return n;
}

void fake_certificate(const char *dir)
{
	if (fake_run("openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost "
		     "-addext subjectAltName=IP:127.0.0.1,DNS:localhost -keyout %s/ca.key -out "
		     "%s/ca.crt 2>/dev/null",
		    dir, dir) != 0)
		die("openssl req");
}
