/* Status codes of the C API. `invalid` means the caller's mistake and names the argument; `unsupported` means a legal request
 * that this library does not serve; the rest came from the device. jcuconv_last_message() tells the rule that was broken. */
#ifndef JCUCONV_STATUS_H
#define JCUCONV_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

typedef enum jcuconv_status {
    JCUCONV_OK = 0,

    /* Handles and plan creation. */
    JCUCONV_INVALID_HANDLE = 100,  /* unknown, closed, or of another kind: plan, event or graph */
    JCUCONV_INVALID_RESULT = 101,  /* the place for the result is null */
    JCUCONV_INVALID_PROBLEM = 102, /* the problem struct is null */
    JCUCONV_INVALID_PASS = 103,
    JCUCONV_INVALID_BATCH = 104,
    JCUCONV_INVALID_CHANNELS = 105,
    JCUCONV_INVALID_FILTERS = 106,
    JCUCONV_INVALID_IMAGE = 107,
    JCUCONV_INVALID_WINDOW = 108,
    JCUCONV_INVALID_PADDING = 109,
    JCUCONV_INVALID_STRIDE = 110,
    JCUCONV_INVALID_DILATION = 111,
    JCUCONV_INVALID_GROUPS = 112,
    JCUCONV_INVALID_PITCH = 113,
    JCUCONV_INVALID_TYPE = 114,
    JCUCONV_INVALID_EPILOGUE = 115,
    JCUCONV_INVALID_PARAMETER = 116, /* a number of the operation, such as alpha */
    JCUCONV_INVALID_COUNT = 117,
    JCUCONV_INVALID_MATH = 118,
    JCUCONV_INVALID_CHOICE = 119,

    /* Arguments of execution: 200 + jcuconv_arg. Each covers null, too few bytes, misalignment, overlap, and memory that is not
     * live memory of the device. */
    JCUCONV_INVALID_X = 200,
    JCUCONV_INVALID_X2 = 201,
    JCUCONV_INVALID_W = 202,
    JCUCONV_INVALID_BIAS = 203,
    JCUCONV_INVALID_Y = 204,
    JCUCONV_INVALID_RESIDUAL = 205,
    JCUCONV_INVALID_DX = 206,
    JCUCONV_INVALID_DW = 207,
    JCUCONV_INVALID_DBIAS = 208,
    JCUCONV_INVALID_DY = 209,
    JCUCONV_INVALID_ARGMAX = 210,
    JCUCONV_INVALID_SAVED = 211,
    JCUCONV_INVALID_GAMMA = 212,
    JCUCONV_INVALID_BETA = 213,
    JCUCONV_INVALID_DGAMMA = 214,
    JCUCONV_INVALID_DBETA = 215,
    JCUCONV_INVALID_RUNNING_MEAN = 216,
    JCUCONV_INVALID_RUNNING_VAR = 217,
    JCUCONV_INVALID_SAVE_MEAN = 218,
    JCUCONV_INVALID_SAVE_VAR = 219,
    JCUCONV_INVALID_LABELS = 220,
    JCUCONV_INVALID_LOSS = 221,
    JCUCONV_INVALID_LOSS_SCALE = 222,
    JCUCONV_INVALID_HYPER = 223,
    JCUCONV_INVALID_M = 224,
    JCUCONV_INVALID_V = 225,
    JCUCONV_INVALID_W_STORAGE = 226,
    JCUCONV_INVALID_SEED = 227,
    JCUCONV_INVALID_FLAG = 228,
    JCUCONV_INVALID_RATES = 229,
    JCUCONV_INVALID_COUNTERS = 230,
    JCUCONV_INVALID_DX2 = 231,
    JCUCONV_INVALID_SCALE = 232,
    JCUCONV_INVALID_ARGUMENTS = 250, /* the array of spans is null or too short */
    JCUCONV_INVALID_WORKSPACE = 251,
    JCUCONV_INVALID_STREAM = 252,
    JCUCONV_INVALID_MEMORY = 253,  /* of a copy, a fill, a wrap or a release */
    JCUCONV_INVALID_CAPTURE = 254, /* not allowed during a capture, or the capture is broken */
    JCUCONV_INVALID_ORDER = 255,   /* memory used without waiting for other work on it; only the emulated device knows */

    JCUCONV_UNSUPPORTED_TYPE = 300,
    JCUCONV_UNSUPPORTED_SIZE = 301,
    JCUCONV_UNSUPPORTED_PASS = 302,
    JCUCONV_UNSUPPORTED_WORKSPACE_LIMIT = 303,

    JCUCONV_OUT_OF_MEMORY = 400,
    JCUCONV_DEVICE_ERROR = 401,
    JCUCONV_INTERNAL_ERROR = 402
} jcuconv_status;

#pragma GCC visibility push(default)

/* The name of a status without its prefix, for example "INVALID_STRIDE". Never null. */
const char* jcuconv_status_name(jcuconv_status status);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
