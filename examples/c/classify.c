/* Label texts with a SavedModel of kseq, through TensorFlow's C API: no Python, no kseq, no vocabulary to carry along.

       ./classify MODEL TEXT…        a line for each text: label, tab, confidence
       ./classify MODEL < texts.txt  the same for each line of standard input

   MODEL is a version folder, such as saved_models/reviews-gru-max_mean/1. README.md beside this file tells how to
   build it. Exit codes: 0 done, 1 failure, 2 usage, 3 the model is damaged or missing. */

#define _XOPEN_SOURCE 700

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <tensorflow/c/c_api.h>

#include "json.h"
#include "manifest.h"

enum { DONE, FAILURE, USAGE, DAMAGED };

/* What is asked of the signature: where the texts go in, and where the answers come out. */
typedef struct {
    char *text;
    char *label;
    char *confidence;
} tensor_names;

static int complain(int code, const char *folder, const char *reason) {
    fprintf(stderr, "classify: %s: %s\n", folder, reason);
    return code;
}

/* Read `"text": {"tensor": "serving_default_text:0", …}, …` into the names that are asked for. */
static void read_tensors(json_reader *reader, const char *const *wanted, char **const *found, int count) {
    int first = 1;
    char *name;
    json_expect(reader, '{');
    while ((name = json_member(reader, &first))) {
        int first_field = 1;
        char *field;
        json_expect(reader, '{');
        while ((field = json_member(reader, &first_field))) {
            char **place = NULL;
            for (int i = 0; i < count && strcmp(field, "tensor") == 0; i++)
                if (strcmp(name, wanted[i]) == 0) place = found[i];
            if (place && !*place) {
                *place = json_string(reader);
            } else {
                json_skip(reader);
            }
            free(field);
        }
        free(name);
    }
}

/* Find the tensors of serving_default in signature.json; their names in the graph differ from model to model. */
static int read_names(const char *folder, tensor_names *names) {
    char path[4096];
    snprintf(path, sizeof path, "%s/assets.extra/signature.json", folder);
    char *content = read_file(path, NULL), *name;
    if (!content) return 0;
    static const char *const inputs[] = {"text"}, *const outputs[] = {"label", "confidence"};
    char **const to_inputs[] = {&names->text}, **const to_outputs[] = {&names->label, &names->confidence};
    json_reader reader = {content, 0};
    int first = 1;
    json_expect(&reader, '{');
    while ((name = json_member(&reader, &first))) {
        if (strcmp(name, "serving_default") != 0) {
            json_skip(&reader);
        } else {
            int first_side = 1;
            char *side;
            json_expect(&reader, '{');
            while ((side = json_member(&reader, &first_side))) {
                if (strcmp(side, "inputs") == 0) {
                    read_tensors(&reader, inputs, to_inputs, 1);
                } else if (strcmp(side, "outputs") == 0) {
                    read_tensors(&reader, outputs, to_outputs, 2);
                } else {
                    json_skip(&reader);
                }
                free(side);
            }
        }
        free(name);
    }
    free(content);
    return !reader.failed && names->text && names->label && names->confidence;
}

/* Find `name:index` in a graph. */
static TF_Output find_output(TF_Graph *graph, const char *tensor) {
    char name[1024];
    snprintf(name, sizeof name, "%s", tensor);
    char *colon = strrchr(name, ':');
    int index = colon ? atoi(colon + 1) : 0;
    if (colon) *colon = 0;
    TF_Output found = {TF_GraphOperationByName(graph, name), index};
    return found;
}

/* Make a tensor of strings, which keeps copies of the texts. */
static TF_Tensor *string_tensor(char *const *texts, int count) {
    int64_t shape[] = {count};
    TF_Tensor *tensor = TF_AllocateTensor(TF_STRING, shape, 1, (size_t)count * sizeof(TF_TString));
    TF_TString *strings = TF_TensorData(tensor);
    for (int i = 0; i < count; i++) {
        TF_StringInit(&strings[i]);
        TF_StringCopy(&strings[i], texts[i], strlen(texts[i]));
    }
    return tensor;
}

static int classify(TF_Session *session, const TF_Output *input, const TF_Output *outputs, char *const *texts, int count, TF_Status *status) {
    TF_Tensor *given = string_tensor(texts, count), *answers[2] = {NULL, NULL};
    TF_SessionRun(session, NULL, input, &given, 1, outputs, answers, 2, NULL, 0, NULL, status);
    if (TF_GetCode(status) == TF_OK) {
        TF_TString *labels = TF_TensorData(answers[0]);
        float *confidences = TF_TensorData(answers[1]);
        for (int i = 0; i < count; i++) {
            fwrite(TF_StringGetDataPointer(&labels[i]), 1, TF_StringGetSize(&labels[i]), stdout);
            printf("\t%.9g\n", confidences[i]);
        }
        for (int i = 0; i < count; i++) TF_StringDealloc(&labels[i]);
    }
    TF_TString *strings = TF_TensorData(given);
    for (int i = 0; i < count; i++) TF_StringDealloc(&strings[i]);
    TF_DeleteTensor(given);
    for (int i = 0; i < 2; i++)
        if (answers[i]) TF_DeleteTensor(answers[i]);
    return TF_GetCode(status) == TF_OK;
}

int main(int count, char **arguments) {
    if (count < 2 || arguments[1][0] == '-') {
        fprintf(stderr, "usage: classify MODEL [TEXT …]\nWithout a text, the lines of standard input are labelled.\n");
        return USAGE;
    }
    const char *folder = arguments[1];
    char problem[1024];
    if (!manifest_check(folder, problem, sizeof problem)) return complain(DAMAGED, folder, problem);
    tensor_names names = {NULL, NULL, NULL};
    if (!read_names(folder, &names))
        return complain(DAMAGED, folder, "assets.extra/signature.json names no text, label and confidence");

    TF_Status *status = TF_NewStatus();
    TF_Graph *graph = TF_NewGraph();
    TF_SessionOptions *options = TF_NewSessionOptions();
    const char *tags[] = {"serve"};
    TF_Session *session = TF_LoadSessionFromSavedModel(options, NULL, folder, tags, 1, graph, NULL, status);
    if (TF_GetCode(status) != TF_OK) return complain(DAMAGED, folder, TF_Message(status));
    TF_Output input = find_output(graph, names.text);
    TF_Output outputs[] = {find_output(graph, names.label), find_output(graph, names.confidence)};
    if (!input.oper || !outputs[0].oper || !outputs[1].oper)
        return complain(DAMAGED, folder, "the graph has not the tensors that signature.json names");

    int right = 1;
    if (count > 2) {
        right = classify(session, &input, outputs, arguments + 2, count - 2, status);
    } else {
        char *line = NULL;
        size_t room = 0;
        ssize_t length;
        while (right && (length = getline(&line, &room, stdin)) >= 0) {
            if (length > 0 && line[length - 1] == '\n') line[length - 1] = 0;
            right = classify(session, &input, outputs, &line, 1, status);
        }
        free(line);
    }
    if (!right) complain(FAILURE, folder, TF_Message(status));
    fflush(stdout);
    free(names.text);
    free(names.label);
    free(names.confidence);
    TF_CloseSession(session, status);
    TF_DeleteSession(session, status);
    TF_DeleteSessionOptions(options);
    TF_DeleteGraph(graph);
    TF_DeleteStatus(status);
    return right ? DONE : FAILURE;
}
