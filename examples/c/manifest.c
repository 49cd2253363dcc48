#define _XOPEN_SOURCE 700

#include "manifest.h"

#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "json.h"

/* SHA-256 as FIPS 180-4 has it. */

static const uint32_t ROUNDS[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be,
    0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa,
    0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
    0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
    0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f,
    0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t turned(uint32_t word, int by) {
    return word >> by | word << (32 - by);
}

static void add_block(uint32_t state[8], const unsigned char *block) {
    uint32_t w[64], v[8];
    for (int t = 0; t < 16; t++)
        w[t] = (uint32_t)block[4 * t] << 24 | (uint32_t)block[4 * t + 1] << 16 | (uint32_t)block[4 * t + 2] << 8 | block[4 * t + 3];
    for (int t = 16; t < 64; t++) {
        uint32_t early = turned(w[t - 15], 7) ^ turned(w[t - 15], 18) ^ w[t - 15] >> 3;
        uint32_t late = turned(w[t - 2], 17) ^ turned(w[t - 2], 19) ^ w[t - 2] >> 10;
        w[t] = w[t - 16] + early + w[t - 7] + late;
    }
    memcpy(v, state, sizeof v);
    for (int t = 0; t < 64; t++) {
        uint32_t high = turned(v[4], 6) ^ turned(v[4], 11) ^ turned(v[4], 25);
        uint32_t first = v[7] + high + ((v[4] & v[5]) ^ (~v[4] & v[6])) + ROUNDS[t] + w[t];
        uint32_t low = turned(v[0], 2) ^ turned(v[0], 13) ^ turned(v[0], 22);
        uint32_t second = low + ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
        memmove(v + 1, v, 7 * sizeof *v);
        v[4] += first;
        v[0] = first + second;
    }
    for (int i = 0; i < 8; i++) state[i] += v[i];
}

/* Write size and digest of a file, the latter as 64 hexadecimal digits and a zero byte; 0 where it cannot be read. */
static int file_digest(const char *path, long long *size, char digest[65]) {
    uint32_t state[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    unsigned char block[64];
    FILE *file = fopen(path, "rb");
    if (!file) return 0;
    uint64_t total = 0;
    size_t got;
    while ((got = fread(block, 1, 64, file)) == 64) {
        add_block(state, block);
        total += 64;
    }
    int bad = ferror(file);
    fclose(file);
    if (bad) return 0;
    total += got;
    block[got++] = 0x80;
    if (got > 56) {
        memset(block + got, 0, 64 - got);
        add_block(state, block);
        got = 0;
    }
    memset(block + got, 0, 56 - got);
    for (int i = 0; i < 8; i++) block[56 + i] = (unsigned char)(total * 8 >> (56 - 8 * i));
    add_block(state, block);
    for (int i = 0; i < 8; i++) snprintf(digest + 8 * i, 9, "%08x", (unsigned)state[i]);
    *size = (long long)total;
    return 1;
}

typedef struct {
    char *name;
    long long bytes;
    char sha256[65];
    int seen;
} entry;

static entry *entries;
static size_t number_of_entries;

/* nftw takes no argument of ours. */
static size_t prefix_length;
static char *problem_text;
static size_t problem_size;

static void free_entries(void) {
    for (size_t i = 0; i < number_of_entries; i++) free(entries[i].name);
    free(entries);
    entries = NULL;
    number_of_entries = 0;
}

static int read_entries(const char *content) {
    json_reader reader = {content, 0};
    int first = 1;
    char *name;
    json_expect(&reader, '{');
    while ((name = json_member(&reader, &first))) {
        if (strcmp(name, "files") != 0) {
            json_skip(&reader);
            free(name);
            continue;
        }
        free(name);
        int first_file = 1;
        char *file;
        json_expect(&reader, '{');
        while ((file = json_member(&reader, &first_file))) {
            entry *larger = realloc(entries, (number_of_entries + 1) * sizeof *entries);
            if (!larger) return 0;
            entries = larger;
            entry *found = &entries[number_of_entries++];
            memset(found, 0, sizeof *found);
            found->name = file;
            found->bytes = -1;
            int first_field = 1;
            char *field;
            json_expect(&reader, '{');
            while ((field = json_member(&reader, &first_field))) {
                if (strcmp(field, "bytes") == 0) {
                    found->bytes = json_integer(&reader);
                } else if (strcmp(field, "sha256") == 0) {
                    char *digest = json_string(&reader);
                    if (digest) snprintf(found->sha256, sizeof found->sha256, "%s", digest);
                    free(digest);
                } else {
                    json_skip(&reader);
                }
                free(field);
            }
        }
    }
    return !reader.failed && json_peek(&reader) == 0 && number_of_entries > 0;
}

static int visit(const char *path, const struct stat *state, int kind, struct FTW *place) {
    (void)state;
    (void)place;
    if (kind == FTW_D || kind == FTW_DP) return 0;
    const char *name = path + prefix_length;
    if (strcmp(name, "assets.extra/manifest.json") == 0) return 0;
    for (size_t i = 0; i < number_of_entries; i++) {
        entry *expected = &entries[i];
        if (strcmp(expected->name, name) != 0) continue;
        long long size;
        char digest[65];
        expected->seen = 1;
        if (kind != FTW_F || !file_digest(path, &size, digest)) {
            snprintf(problem_text, problem_size, "%s cannot be read", name);
            return 1;
        }
        if (size != expected->bytes) {
            snprintf(problem_text, problem_size, "%s has %lld bytes; %lld were written", name, size, expected->bytes);
            return 1;
        }
        if (strcmp(digest, expected->sha256) != 0) {
            snprintf(problem_text, problem_size, "%s has the SHA-256 %s; %s was written", name, digest, expected->sha256);
            return 1;
        }
        return 0;
    }
    snprintf(problem_text, problem_size, "%s is not in the manifest", name);
    return 1;
}

int manifest_check(const char *folder, char *problem, size_t size) {
    char path[4096];
    snprintf(path, sizeof path, "%s/assets.extra/manifest.json", folder);
    size_t length;
    char *content = read_file(path, &length);
    if (!content) {
        snprintf(problem, size, "assets.extra/manifest.json cannot be read");
        return 0;
    }
    /* A zero byte would hide what follows it. */
    int readable = strlen(content) == length && read_entries(content);
    free(content);
    if (!readable) {
        free_entries();
        snprintf(problem, size, "assets.extra/manifest.json is no manifest");
        return 0;
    }
    prefix_length = strlen(folder) + 1;
    problem_text = problem;
    problem_size = size;
    problem[0] = 0;
    int found = nftw(folder, visit, 16, FTW_PHYS);
    if (found < 0 && !problem[0]) snprintf(problem, size, "the folder cannot be read");
    for (size_t i = 0; found == 0 && i < number_of_entries; i++) {
        if (!entries[i].seen) {
            snprintf(problem, size, "%s is missing", entries[i].name);
            found = 1;
        }
    }
    free_entries();
    return found == 0;
}
