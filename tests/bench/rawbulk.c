// SPDX-License-Identifier: Apache-2.0
/*
 * Raw limits of the workloads that move many bytes: what must be computed, with the fastest
 * library for it, in as many threads as help, and nothing else.
 *
 *	rawbulk hash FILE              sha256 of a file; a second thread reads ahead
 *	rawbulk hashtree THREADS DIR   read and hash every file below DIR, each by itself
 *	rawbulk relayer TAR DIR OUT    statx everything below DIR; beside that hash TAR and write it
 *	                               again as OUT
 *	rawbulk gzip THREADS FILE...   deflate (isa-l level 1) and CRC in blocks of 1 MiB, each with
 *	                               the 32 KiB before it as dictionary; prints the sizes
 *	rawbulk gunzip FILE...         per file, all at once: hash the gzip file and inflate it
 *	                               (isa-l) in one thread, hash what comes out in another
 */
#include <dirent.h>
#include <fcntl.h>
#include <isa-l.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SLOTS 4
#define SLOT  (1 << 20)
#define DICT  (32 << 10)

/* Buffers that one thread fills and another empties; a slot of length 0 ends it. */
struct ring {
	sem_t full, empty;
	unsigned char *buf[SLOTS];
	size_t len[SLOTS];
	int head, tail;
};

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void *need(void *p)
{
	if (!p)
		die("memory");
	return p;
}

static pthread_t spawn(void *(*f)(void *), void *arg)
{
	pthread_t t;

	if (pthread_create(&t, NULL, f, arg))
		die("thread");
	return t;
}

static EVP_MD_CTX *digest_new(EVP_MD *md)
{
	EVP_MD_CTX *ctx = need(EVP_MD_CTX_new());

	EVP_DigestInit_ex2(ctx, md, NULL);
	return ctx;
}

static void digest_end(EVP_MD_CTX *ctx)
{
	unsigned char out[EVP_MAX_MD_SIZE];

	EVP_DigestFinal_ex(ctx, out, NULL);
}

static EVP_MD *sha256(void)
{
	return need(EVP_MD_fetch(NULL, "SHA256", NULL));
}

static void ring_init(struct ring *r)
{
	memset(r, 0, sizeof *r);
	sem_init(&r->full, 0, 0);
	sem_init(&r->empty, 0, SLOTS);
	for (int i = 0; i < SLOTS; i++)
		r->buf[i] = need(malloc(SLOT));
}

static unsigned char *ring_take(struct ring *r)
{
	sem_wait(&r->empty);
	return r->buf[r->head];
}

static void ring_give(struct ring *r, size_t len)
{
	r->len[r->head] = len;
	r->head = (r->head + 1) % SLOTS;
	sem_post(&r->full);
}

static void *ring_hash(void *arg)
{
	struct ring *r = arg;
	EVP_MD_CTX *ctx = digest_new(sha256());

	for (;; r->tail = (r->tail + 1) % SLOTS) {
		sem_wait(&r->full);
		if (r->len[r->tail] == 0)
			break;
		EVP_DigestUpdate(ctx, r->buf[r->tail], r->len[r->tail]);
		sem_post(&r->empty);
	}
	digest_end(ctx);
	return NULL;
}

static void hash_file(const char *file, int copy_to)
{
	struct ring r;
	int fd = open(file, O_RDONLY);
	ssize_t n;

	if (fd < 0)
		die(file);
	ring_init(&r);
	pthread_t t = spawn(ring_hash, &r);
	do {
		unsigned char *buf = ring_take(&r);
		n = read(fd, buf, SLOT);
		if (n < 0)
			die(file);
		if (copy_to >= 0 && write(copy_to, buf, (size_t)n) != n)
			die("write");
		ring_give(&r, (size_t)n);
	} while (n > 0);
	pthread_join(t, NULL);
}

/* --- trees -------------------------------------------------------------------------------- */

struct tree {
	const char *path;
	atomic_size_t next; /* top directory to be done next */
	int hash, threads;
};

struct worker {
	EVP_MD_CTX *ctx;
	EVP_MD *md;
	unsigned char buf[1 << 16];
};

static void one_file(struct worker *w, int dir, const char *name)
{
	struct statx st;
	ssize_t n;

	if (!w->ctx) {
		if (statx(dir, name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &st) < 0)
			die(name);
		return;
	}
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW);
	if (fd < 0 || statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &st) < 0)
		die(name);
	EVP_DigestInit_ex2(w->ctx, w->md, NULL);
	for (size_t left = st.stx_size; left; left -= (size_t)n) {
		n = read(fd, w->buf, sizeof w->buf);
		if (n <= 0)
			die(name);
		EVP_DigestUpdate(w->ctx, w->buf, (size_t)n);
	}
	digest_end(w->ctx);
	close(fd);
}

/* Directories directly below the root are shared out: each worker does those whose turn it is. */
static void walk(struct worker *w, int at, const char *name, struct tree *share)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	size_t mine = share ? atomic_fetch_add(&share->next, 1) : 0, i = 0;
	struct dirent *e;

	if (!d)
		die(name);
	while ((e = readdir(d))) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (share && i++ != mine)
			continue;
		if (e->d_type == DT_DIR)
			walk(w, fd, e->d_name, NULL);
		else
			one_file(w, fd, e->d_name);
		if (share)
			mine = atomic_fetch_add(&share->next, 1);
	}
	closedir(d);
}

static void *walk_part(void *arg)
{
	struct tree *t = arg;
	struct worker *w = need(calloc(1, sizeof *w));

	if (t->hash) {
		w->md = sha256();
		w->ctx = digest_new(w->md);
	}
	walk(w, AT_FDCWD, t->path, t);
	return NULL;
}

static void tree(struct tree *t)
{
	pthread_t other[16];

	for (int i = 1; i < t->threads && i < 16; i++)
		other[i] = spawn(walk_part, t);
	walk_part(t);
	for (int i = 1; i < t->threads && i < 16; i++)
		pthread_join(other[i], NULL);
}

static void relayer(const char *tar, const char *dir, const char *out)
{
	struct tree t = {.path = dir, .threads = 1};
	int to = open(out, O_WRONLY | O_CREAT | O_EXCL, 0600);

	if (to < 0)
		die(out);
	pthread_t other = spawn(walk_part, &t);
	hash_file(tar, to);
	pthread_join(other, NULL);
}

/* --- gzip --------------------------------------------------------------------------------- */

struct packing {
	char **file;
	int n;
	pthread_mutex_t lock;
	int at, fd; /* the file and the offset that come next */
	off_t off;
	atomic_size_t in, out;
};

/* The next block and the dictionary before it; 0 when there is none. */
static size_t next_block(struct packing *p, unsigned char *buf, size_t *dict)
{
	ssize_t n = 0;
	int fd = -1;
	off_t off = 0;

	pthread_mutex_lock(&p->lock);
	while (p->at < p->n) {
		struct stat st;
		if (p->fd < 0 && (p->fd = open(p->file[p->at], O_RDONLY)) < 0)
			die(p->file[p->at]);
		if (fstat(p->fd, &st) == 0 && p->off < st.st_size) {
			fd = p->fd;
			off = p->off;
			p->off += SLOT;
			break;
		}
		p->fd = -1;
		p->off = 0;
		p->at++;
	}
	pthread_mutex_unlock(&p->lock);
	if (fd < 0)
		return 0;
	*dict = off ? DICT : 0;
	n = pread(fd, buf, *dict + SLOT, off - (off_t)*dict);
	if (n <= (ssize_t)*dict)
		die("pread");
	return (size_t)n - *dict;
}

static void *pack(void *arg)
{
	struct packing *p = arg;
	struct isal_zstream *z = need(malloc(sizeof *z));
	unsigned char *in = need(malloc(DICT + SLOT)), *out = need(malloc(2 * SLOT)),
		      *level = need(malloc(ISAL_DEF_LVL1_DEFAULT));
	size_t n, dict;
	uint32_t crc = 0;

	while ((n = next_block(p, in, &dict))) {
		isal_deflate_init(z);
		z->level = 1;
		z->level_buf = level;
		z->level_buf_size = ISAL_DEF_LVL1_DEFAULT;
		z->flush = SYNC_FLUSH;
		z->gzip_flag = IGZIP_DEFLATE;
		if (dict)
			isal_deflate_set_dict(z, in, DICT);
		z->next_in = in + dict;
		z->avail_in = (uint32_t)n;
		z->next_out = out;
		z->avail_out = 2 * SLOT;
		if (isal_deflate(z) != COMP_OK || z->avail_in)
			die("isal_deflate");
		crc ^= crc32_gzip_refl(0, in + dict, n);
		atomic_fetch_add(&p->in, n);
		atomic_fetch_add(&p->out, z->total_out);
	}
	return (void *)(size_t)crc;
}

static void gzip(int threads, char **file, int n)
{
	struct packing p = {.file = file, .n = n, .fd = -1, .lock = PTHREAD_MUTEX_INITIALIZER};
	pthread_t other[64];

	for (int i = 1; i < threads && i < 64; i++)
		other[i] = spawn(pack, &p);
	pack(&p);
	for (int i = 1; i < threads && i < 64; i++)
		pthread_join(other[i], NULL);
	fprintf(stderr, "%zu -> %zu\n", (size_t)p.in, (size_t)p.out);
}

static void *unpack(void *arg)
{
	struct inflate_state *s = need(malloc(sizeof *s));
	unsigned char *in = need(malloc(SLOT)), *out;
	EVP_MD_CTX *ctx = digest_new(sha256());
	struct ring r;
	int fd = open(arg, O_RDONLY);
	ssize_t n;

	if (fd < 0)
		die(arg);
	ring_init(&r);
	pthread_t t = spawn(ring_hash, &r);
	isal_inflate_init(s);
	s->crc_flag = ISAL_GZIP;
	s->next_out = out = ring_take(&r);
	s->avail_out = SLOT;
	while ((n = read(fd, in, SLOT / 4)) > 0) {
		EVP_DigestUpdate(ctx, in, (size_t)n);
		s->next_in = in;
		s->avail_in = (uint32_t)n;
		bool filled;
		do {
			if (isal_inflate(s) != ISAL_DECOMP_OK)
				die("isal_inflate");
			filled = s->avail_out == 0;
			if (filled) {
				ring_give(&r, SLOT);
				s->next_out = out = ring_take(&r);
				s->avail_out = SLOT;
			}
		} while ((s->avail_in && s->block_state != ISAL_BLOCK_FINISH) || filled);
		if (s->block_state == ISAL_BLOCK_FINISH)
			break;
	}
	if (s->next_out > out) {
		ring_give(&r, (size_t)(s->next_out - out));
		ring_take(&r);
	}
	ring_give(&r, 0);
	pthread_join(t, NULL);
	digest_end(ctx);
	return NULL;
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[1] : "";
	pthread_t t[64];
	int n = 0;

	if (strcmp(what, "hash") == 0 && argc == 3) {
		hash_file(argv[2], -1);
	} else if (strcmp(what, "hashtree") == 0 && argc == 4) {
		tree(&(struct tree){.path = argv[3], .hash = 1, .threads = atoi(argv[2])});
	} else if (strcmp(what, "relayer") == 0 && argc == 5) {
		relayer(argv[2], argv[3], argv[4]);
	} else if (strcmp(what, "gzip") == 0) {
		gzip(atoi(argv[2]), argv + 3, argc - 3);
	} else if (strcmp(what, "gunzip") == 0 && argc < 66) {
		for (int i = 2; i < argc; i++)
			t[n++] = spawn(unpack, argv[i]);
		while (n > 0)
			pthread_join(t[--n], NULL);
	} else {
		fprintf(stderr, "usage: see the first lines of tests/bench/rawbulk.c\n");
		return 2;
	}
	return 0;
}
