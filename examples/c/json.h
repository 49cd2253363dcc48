/* The part of JSON that kseq's own files need: objects, arrays, strings, numbers and literals, read once, front to
   back. */

#ifndef KSEQ_JSON_H
#define KSEQ_JSON_H

#include <stddef.h>

typedef struct {
    const char *at;  /* next character; the text ends with a zero byte */
    int failed;      /* set by the first thing that is not as expected, and never unset */
} json_reader;

/* Step over one character that must come next, blanks before it aside. */
void json_expect(json_reader *reader, char expected);

/* The next character that is no blank, without stepping over it; 0 at the end and after a failure. */
char json_peek(json_reader *reader);

/* Read a string into a new one, which the caller frees; NULL after a failure. */
char *json_string(json_reader *reader);

/* Read a whole number. */
long long json_integer(json_reader *reader);

/* Step over a value of any kind. */
void json_skip(json_reader *reader);

/* Go on to the next member of an object whose "{" was expected before: its name, which the caller frees; NULL after the
   last one, "}" included, and after a failure. `first` is 1 for the first member, and set to 0. */
char *json_member(json_reader *reader, int *first);

/* Read a whole file, with a zero byte after it; NULL where it cannot be read. The caller frees it. */
char *read_file(const char *path, size_t *size);

#endif
