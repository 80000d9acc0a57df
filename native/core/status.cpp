#include "jcuconv/status.h"

const char* jcuconv_status_name(jcuconv_status status) {
    switch (status) {
        case JCUCONV_OK: return "OK";
        case JCUCONV_INVALID_HANDLE: return "INVALID_HANDLE";
        case JCUCONV_INVALID_RESULT: return "INVALID_RESULT";
        case JCUCONV_INVALID_PROBLEM: return "INVALID_PROBLEM";
        case JCUCONV_INVALID_PASS: return "INVALID_PASS";
        case JCUCONV_INVALID_BATCH: return "INVALID_BATCH";
        case JCUCONV_INVALID_CHANNELS: return "INVALID_CHANNELS";
        case JCUCONV_INVALID_FILTERS: return "INVALID_FILTERS";
        case JCUCONV_INVALID_IMAGE: return "INVALID_IMAGE";
        case JCUCONV_INVALID_WINDOW: return "INVALID_WINDOW";
        case JCUCONV_INVALID_PADDING: return "INVALID_PADDING";
        case JCUCONV_INVALID_STRIDE: return "INVALID_STRIDE";
        case JCUCONV_INVALID_DILATION: return "INVALID_DILATION";
        case JCUCONV_INVALID_GROUPS: return "INVALID_GROUPS";
        case JCUCONV_INVALID_PITCH: return "INVALID_PITCH";
        case JCUCONV_INVALID_TYPE: return "INVALID_TYPE";
        case JCUCONV_INVALID_EPILOGUE: return "INVALID_EPILOGUE";
        case JCUCONV_INVALID_PARAMETER: return "INVALID_PARAMETER";
        case JCUCONV_INVALID_COUNT: return "INVALID_COUNT";
        case JCUCONV_INVALID_X: return "INVALID_X";
        case JCUCONV_INVALID_W: return "INVALID_W";
        case JCUCONV_INVALID_BIAS: return "INVALID_BIAS";
        case JCUCONV_INVALID_Y: return "INVALID_Y";
        case JCUCONV_INVALID_DX: return "INVALID_DX";
        case JCUCONV_INVALID_DW: return "INVALID_DW";
        case JCUCONV_INVALID_DBIAS: return "INVALID_DBIAS";
        case JCUCONV_INVALID_DY: return "INVALID_DY";
        case JCUCONV_INVALID_SAVED: return "INVALID_SAVED";
        case JCUCONV_INVALID_STATE: return "INVALID_STATE";
        case JCUCONV_INVALID_WORKSPACE: return "INVALID_WORKSPACE";
        case JCUCONV_INVALID_STREAM: return "INVALID_STREAM";
        case JCUCONV_INVALID_MEMORY: return "INVALID_MEMORY";
        case JCUCONV_UNSUPPORTED_TYPE: return "UNSUPPORTED_TYPE";
        case JCUCONV_UNSUPPORTED_SIZE: return "UNSUPPORTED_SIZE";
        case JCUCONV_UNSUPPORTED_PASS: return "UNSUPPORTED_PASS";
        case JCUCONV_UNSUPPORTED_WORKSPACE_LIMIT: return "UNSUPPORTED_WORKSPACE_LIMIT";
        case JCUCONV_OUT_OF_MEMORY: return "OUT_OF_MEMORY";
        case JCUCONV_DEVICE_ERROR: return "DEVICE_ERROR";
        case JCUCONV_INTERNAL_ERROR: return "INTERNAL_ERROR";
    }
    return "UNKNOWN";
}
