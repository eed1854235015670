/* safetensors_signature.c - what a file is that is given as a checkpoint and is none.
 *
 * Most such files are whole and good, only of another kind: to be told "header length 85,966,670,672" helps nobody.
 * A file's own text is never part of the message: the file may be one that its reader should not see. */

#define _GNU_SOURCE      /* memmem */

#include "safetensors_file.h"

#include <endian.h>
#include <string.h>

enum { LOOKED_AT = 512 };      /* bytes of the file's beginning */

static const char convert[] = "convert it with PyTorch: load its state_dict with torch.load, write it with safetensors.torch.save_file",
                  unpack[] = "unpack it and name the .safetensors file that comes out",
                  other[] = "its kind cannot be read: name a .safetensors file",
                  order[] = "name a .safetensors file; predict takes CHECKPOINT first, images after it",
                  again[] = "fetch the file anew, with the link to the file itself";

typedef struct Signature {
    const char *bytes;         /* that the file begins with; '?' stands for any byte */
    size_t      offset;        /* where they are, if not at the beginning */
    const char *holds;         /* what else is somewhere in the file's beginning; NULL: nothing more */
    bool        text;          /* the file's beginning is text; spaces before `bytes` do not count */
    const char *kind, *advice;
} Signature;

/* The first row that fits is the answer. */
static const Signature signatures[] = {
    { "PK\x03\x04", 0, ".npy", false, "a zip archive of numpy arrays (.npz)", other },
    { "PK\x03\x04", 0, "config.json", false, "a zip archive, as Keras writes (.keras)", other },
    { "PK\x03\x04", 0, "metadata.json", false, "a zip archive, as Keras writes (.keras)", other },
    { "PK\x03\x04", 0, ".safetensors", false, "a zip archive", unpack },
    { "PK\x03\x04", 0, NULL, false, "a zip archive, as torch.save writes (.pth, .pt)", convert },
    { "PK\x05\x06", 0, NULL, false, "an empty zip archive", again },
    { "\x80\x02", 0, NULL, false, "a Python pickle, as torch.save wrote before PyTorch 1.6 (.pth, .pt)", convert },
    { "\x80\x03", 0, NULL, false, "a Python pickle", convert },
    { "\x80\x04", 0, NULL, false, "a Python pickle", convert },
    { "\x80\x05", 0, NULL, false, "a Python pickle", convert },
    { "\x89HDF\r\n", 0, NULL, false, "an HDF5 file, as Keras writes (.h5)", other },
    { "\x93NUMPY", 0, NULL, false, "a numpy array (.npy)", other },
    { "\x08\x01\x12", 0, NULL, false, "a TensorFlow SavedModel (.pb)", other },
    { "\x08?\x12", 0, NULL, false, "an ONNX model", other },
    { "\x08?\x3a", 0, NULL, false, "an ONNX model", other },
    { "\x08?\x42", 0, NULL, false, "an ONNX model", other },
    { "GGUF", 0, NULL, false, "a GGUF file, as llama.cpp reads", other },
    { "TFL3", 4, NULL, false, "a TensorFlow Lite model (.tflite)", other },
    { "\x1f\x8b", 0, NULL, false, "packed with gzip (.gz)", unpack },
    { "BZh", 0, NULL, false, "packed with bzip2 (.bz2)", unpack },
    { "\xfd" "7zXZ", 0, NULL, false, "packed with xz (.xz)", unpack },
    { "\x28\xb5\x2f\xfd", 0, NULL, false, "packed with zstd (.zst)", unpack },
    { "7z\xbc\xaf\x27\x1c", 0, NULL, false, "a 7z archive", unpack },
    { "Rar!", 0, NULL, false, "a RAR archive", unpack },
    { "ustar", 257, NULL, false, "a tar archive", unpack },
    { "\x89PNG", 0, NULL, false, "a PNG image", order },
    { "\xff\xd8\xff", 0, NULL, false, "a JPEG image", order },
    { "GIF8", 0, NULL, false, "a GIF image", order },
    { "RIFF????WEBP", 0, NULL, false, "a WebP image", order },
    { "P5\n", 0, NULL, false, "a PGM image", order },
    { "P6\n", 0, NULL, false, "a PPM image", order },
    { "%PDF", 0, NULL, false, "a PDF document", again },
    { "\x7f" "ELF", 0, NULL, false, "a program", other },
    { "version https://git-lfs", 0, NULL, true, "a Git LFS pointer, which only names the file", "fetch the file itself: git lfs pull" },
    { "<", 0, NULL, true, "a web page (HTML or XML), perhaps one that asks to log in or says that nothing was found", again },
    { "{", 0, "\"weight_map\"", true, "the index (JSON) of a model in several files", "join them in Python and write one with safetensors.torch.save_file" },
    { "{", 0, NULL, true, "a JSON file", "name the .safetensors file beside it" },
    { "[", 0, NULL, true, "a JSON file", "name the .safetensors file beside it" },
    { "", 0, NULL, true, "a text file", "name a .safetensors file" },
};

/* A length that a header may have, and a JSON object after it: damaged perhaps, but of the right kind. */
static bool is_safetensors(const unsigned char *bytes, size_t count)
{
    uint64_t length;
    if (count < sizeof length + 1 || bytes[sizeof length] != '{')
        return false;
    memcpy(&length, bytes, sizeof length);
    return le64toh(length) <= SAFETENSORS_MAX_HEADER;
}

/* UTF-8 has no bytes from 0xF8 on. */
static bool is_text(const unsigned char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (bytes[i] == 0 || (bytes[i] < 0x20 && !strchr("\t\n\f\r", bytes[i])) || bytes[i] == 0x7f || bytes[i] >= 0xF8)
            return false;
    return count > 0;
}

static bool holds(const unsigned char *bytes, size_t count, const char *text)
{
    return !text || memmem(bytes, count, text, strlen(text)) != NULL;
}

static bool signature_fits(const Signature *signature, const unsigned char *bytes, size_t count)
{
    const size_t length = strlen(signature->bytes);
    size_t at = signature->offset;
    if (signature->text && !is_text(bytes, count))
        return false;
    if (signature->text && count >= 3 && !memcmp(bytes, "\xEF\xBB\xBF", 3))      /* Windows' editors mark UTF-8 so */
        at = 3;
    while (signature->text && at < count && strchr(" \t\n\f\r", bytes[at]))
        at++;
    if (at > count || count - at < length)
        return false;
    for (size_t i = 0; i < length; i++)
        if (signature->bytes[i] != '?' && (unsigned char)signature->bytes[i] != bytes[at + i])
            return false;
    return holds(bytes, count, signature->holds);
}

static bool is_zero(const unsigned char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}

bool safetensors_recognize(const Safetensors *file, Error *error)
{
    unsigned char bytes[LOOKED_AT];
    const size_t count = file->size < LOOKED_AT ? (size_t)file->size : LOOKED_AT;
    if (!safetensors_read_at(file, 0, bytes, count, error))
        return false;
    if (is_safetensors(bytes, count))
        return true;
    for (size_t i = 0; i < sizeof signatures / sizeof *signatures; i++)
        if (signature_fits(&signatures[i], bytes, count))
            return error_set(error, EXIT_input, "not a safetensors file: %s: it is %s: %s", file->path, signatures[i].kind,
                             signatures[i].advice);
    if (count >= 10 && is_zero(bytes, count))
        return error_set(error, EXIT_input, "not a safetensors file: %s: it begins with %zu bytes of zero, as a download or a copy "
                         "that was broken off: %s", file->path, count, again);
    return true;
}
