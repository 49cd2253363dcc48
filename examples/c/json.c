#include "json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fail(json_reader *reader) {
    reader->failed = 1;
}

char json_peek(json_reader *reader) {
    if (reader->failed) return 0;
    while (*reader->at && strchr(" \t\r\n", *reader->at)) reader->at++;
    return *reader->at;
}

void json_expect(json_reader *reader, char expected) {
    if (json_peek(reader) != expected) {
        fail(reader);
        return;
    }
    reader->at++;
}

static int hex4(const char *at) {
    int value = 0;
    for (int place = 0; place < 4; place++) {
        char c = at[place];
        int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
        if (digit < 0) return -1;
        value = value * 16 + digit;
    }
    return value;
}

static char *put_utf8(char *to, long code) {
    if (code < 0x80) {
        *to++ = (char)code;
    } else if (code < 0x800) {
        *to++ = (char)(0xC0 | code >> 6);
        *to++ = (char)(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        *to++ = (char)(0xE0 | code >> 12);
        *to++ = (char)(0x80 | (code >> 6 & 0x3F));
        *to++ = (char)(0x80 | (code & 0x3F));
    } else {
        *to++ = (char)(0xF0 | code >> 18);
        *to++ = (char)(0x80 | (code >> 12 & 0x3F));
        *to++ = (char)(0x80 | (code >> 6 & 0x3F));
        *to++ = (char)(0x80 | (code & 0x3F));
    }
    return to;
}

char *json_string(json_reader *reader) {
    json_expect(reader, '"');
    if (reader->failed) return NULL;
    const char *end = reader->at;
    while (*end && *end != '"') end += *end == '\\' && end[1] ? 2 : 1;
    if (!*end) {
        fail(reader);
        return NULL;
    }
    /* No escape is shorter than what it stands for. */
    char *found = malloc((size_t)(end - reader->at) + 1), *to = found;
    if (!found) {
        fail(reader);
        return NULL;
    }
    for (const char *at = reader->at; at < end;) {
        if (*at != '\\') {
            *to++ = *at++;
            continue;
        }
        static const char written[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
        const char *place = strchr(written, at[1]);
        long code = at[1] == 'u' && at + 6 <= end ? hex4(at + 2) : -1;
        if (at[1] && place) {
            *to++ = meant[place - written];
            at += 2;
            continue;
        }
        if (code <= 0) {
            free(found);
            fail(reader);
            return NULL;
        }
        at += 6;
        if (code >= 0xD800 && code < 0xDC00 && at + 6 <= end && at[0] == '\\' && at[1] == 'u') {
            int low = hex4(at + 2);
            if (low >= 0xDC00 && low < 0xE000) {
                code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
                at += 6;
            }
        }
        to = put_utf8(to, code);
    }
    *to = 0;
    reader->at = end + 1;
    return found;
}

long long json_integer(json_reader *reader) {
    json_peek(reader);
    if (reader->failed) return 0;
    char *end;
    long long value = strtoll(reader->at, &end, 10);
    if (end == reader->at) fail(reader);
    reader->at = end;
    return value;
}

char *json_member(json_reader *reader, int *first) {
    if (json_peek(reader) == '}') {
        reader->at++;
        return NULL;
    }
    if (!*first) json_expect(reader, ',');
    *first = 0;
    char *name = json_string(reader);
    json_expect(reader, ':');
    if (reader->failed) {
        free(name);
        return NULL;
    }
    return name;
}

void json_skip(json_reader *reader) {
    char next = json_peek(reader);
    if (next == '{' || next == '[') {
        char close = next == '{' ? '}' : ']';
        json_expect(reader, next);
        for (int first = 1; !reader->failed && json_peek(reader) != close; first = 0) {
            if (!first) json_expect(reader, ',');
            if (next == '{') {
                free(json_string(reader));
                json_expect(reader, ':');
            }
            json_skip(reader);
        }
        json_expect(reader, close);
    } else if (next == '"') {
        free(json_string(reader));
    } else {
        const char *begin = reader->at;
        while (*reader->at && strchr("+-.0123456789abcdefghijklmnopqrstuvwxyzEINaT", *reader->at)) reader->at++;
        if (reader->at == begin) fail(reader);
    }
}

char *read_file(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    if (!file) return NULL;
    char *content = NULL;
    size_t room = 0, used = 0;
    for (;;) {
        if (used + 1 >= room) {
            room = room ? 2 * room : 1 << 16;
            char *larger = realloc(content, room);
            if (!larger) break;
            content = larger;
        }
        size_t got = fread(content + used, 1, room - used - 1, file);
        used += got;
        if (got == 0) {
            if (ferror(file)) break;
            fclose(file);
            content[used] = 0;
            if (size) *size = used;
            return content;
        }
    }
    free(content);
    fclose(file);
    return NULL;
}
