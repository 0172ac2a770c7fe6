/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8, one character at a time. */
#ifndef BLD_PARSER_UTF8_H
#define BLD_PARSER_UTF8_H

#include <stddef.h>
#include <stdint.h>

#include "parser/slice.h"

#define UTF8_INVALID 0xFFFFFFFFu

/*
 * Decode the first character of a text that is not empty. Returns its length in bytes (1 to 4). A
 * byte that begins no valid, shortest-form character gives 1 and *rune = UTF8_INVALID.
 */
size_t utf8_decode(struct slice s, uint32_t *rune);

/* Encode; returns 1 to 4. A rune that is no scalar value is written as U+FFFD. */
size_t utf8_encode(uint32_t rune, char out[4]);

#endif
