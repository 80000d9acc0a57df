"""Textual mistakes that a programmer could make in a kernel file, each as (start, end, replacement) within one line of code."""
import re

COMPARISONS = {" < ": " <= ", " <= ": " < ", " > ": " >= ", " >= ": " > ", " == ": " != ", " != ": " == "}
ARITHMETIC = {" + ": " - ", " - ": " + ", " * ": " + ", " / ": " * ", " % ": " / "}
ASSIGNMENTS = {" += ": " -= ", " -= ": " += ", " ^= ": " = ", " /= ": " *= "}
NAMES = [
    ("h", "w"), ("p", "q"), ("r", "s"), ("c", "k"), ("x", "y"), ("x", "dy"), ("a", "b"), ("m", "v"), ("n", "p"), ("dh", "dw"), ("h0", "w0"),
    ("p0", "q0"), ("row", "column"), ("rows", "columns"), ("row0", "column0"), ("lane", "warp"), ("first", "end"), ("low", "high"),
    ("down", "across"), ("tiles_down", "tiles_across"), ("above_h", "above_w"), ("group_c", "group_k"), ("x_pitch", "y_pitch"),
    ("stride_h", "stride_w"), ("dilation_h", "dilation_w"), ("pad_top", "pad_left"), ("pad_bottom", "pad_right"),
    ("kRows", "kColumns"), ("kThreadRows", "kThreadColumns"), ("beta1", "beta2"), ("kCorrection1", "kCorrection2"),
    ("first_pixel", "first_filter"), ("first_channel", "first_pixel"), ("first_column", "first_filter"), ("split", "group"),
    ("tap_first", "tap_step"), ("mean", "variance"), ("gamma", "beta"), ("kHalf", "kVec"), ("pad_low", "pad_high"),
]
OPENING, CLOSING = "([{", ")]}"


def _replacements(code, table):
    for text, other in table.items():
        for match in re.finditer(re.escape(text), code):
            yield match.start(), match.end(), other


def _operand_left(code, end):
    """Start of the operand that ends at `end`: as far back as brackets balance and no weaker operator stands."""
    depth, at = 0, end
    while at > 0:
        char = code[at - 1]
        if char in CLOSING:
            depth += 1
        elif char in OPENING:
            if depth == 0:
                break
            depth -= 1
        elif depth == 0 and (char in ",;?:" and code[at - 2] != ":" or code[:at].endswith((" && ", " || ", " = ", "return "))):
            break
        at -= 1
    return at


def _operand_right(code, start):
    depth, at = 0, start
    while at < len(code):
        char = code[at]
        if char in OPENING:
            depth += 1
        elif char in CLOSING:
            if depth == 0:
                break
            depth -= 1
        elif depth == 0 and (char in ",;" or code.startswith((" && ", " || ", " ? "), at)):
            break
        at += 1
    return at


def comparison(code):
    yield from _replacements(code, COMPARISONS)


def arithmetic(code):
    yield from _replacements(code, ARITHMETIC)


def assignment(code):
    yield from _replacements(code, ASSIGNMENTS)
    for match in re.finditer(r" [+*/^-]= ", code):
        yield match.start(), match.end(), " = "
    for match in re.finditer(r"\+\+(\w+)", code):
        yield match.start(), match.end(), match[1] + " += 2"


def off_by_one(code):
    """Whole numbers, and bounds and indices at the end of a comparison or a subscript. Sizes of blocks and tiles are a choice, no logic."""
    if re.search(r"constexpr int k(Threads|Warps|Lanes|Strip|Tile|Item|Loss|Block)|template <|JCUCONV_KERNEL", code):
        return
    for match in re.finditer(r"(?<![\w.{<])\d+(?![\w.])", code):
        yield match.start(), match.end(), str(int(match[0]) + 1)
        if match[0] != "0":
            yield match.start(), match.end(), str(int(match[0]) - 1)
    for match in re.finditer(r"(?<= [<>] )[\w.]+(?=[;) ])|(?<= [<>]= )[\w.]+(?=[;) ])|(?<=\[)\w+(?=\])", code):
        if not match[0][0].isdigit():
            yield match.end(), match.end(), " + 1"
            yield match.end(), match.end(), " - 1"


def condition(code):
    for match in re.finditer(r" (&&|\|\|) ", code):
        left, right = _operand_left(code, match.start()), _operand_right(code, match.end())
        yield left, match.end(), ""
        yield match.start(), right, ""
        yield match.start(), match.end(), " || " if match[1] == "&&" else " && "
    for match in re.finditer(r"!(?=[\w(])", code):
        yield match.start(), match.end(), ""


def dropped(code):
    """A barrier, a guard, an assignment or a call that is missing."""
    patterns = (r"^ *(sync_threads|sync_warp|bar_sync|bar_arrive|cp_async_\w+|\w+\.(put|fetch|seek)|store_\w+|set_zero)\(.*\);$",
                r"^ *if \(.*\) (return|continue|break)\b.*;$", r"^ *[\w.\[\]]+ [+*/^-]?= .*;$")
    if any(re.search(pattern, code) for pattern in patterns):
        yield len(code) - len(code.lstrip()), len(code), ";"
    match = re.search(r"\bif \((?=[^;]*\) [a-z])", code)
    if match:
        end = _operand_right(code.replace("&&", "..").replace("||", "..").replace("?", ".").replace(",", "."), match.end())
        if code[end:end + 1] == ")":
            yield match.start(), end + 1, "if (true)"


def name(code):
    for one, other in NAMES:
        for old, new in ((one, other), (other, one)):
            for match in re.finditer(rf"(?<![\w\"]){re.escape(old)}(?![\w(\"])", code):
                yield match.start(), match.end(), new


def operands(code):
    for match in re.finditer(r"([\w.]+(?:\[\w+\])?) ([-/%]) ([\w.]+(?:\[\w+\])?)(?![\w(.])", code):
        yield match.start(), match.end(), f"{match[3]} {match[2]} {match[1]}"
    for match in re.finditer(r"(?<=[(,] )([\w.]+), ([\w.]+)(?=[,)])|(?<=\()([\w.]+), ([\w.]+)(?=[,)])", code):
        one, other = (match[1], match[2]) if match[1] else (match[3], match[4])
        yield match.start(), match.end(), f"{other}, {one}"
    for match in re.finditer(r" \? ([^?:]+) : ([^?:;,)]+)(?=[;,)])", code):
        yield match.start(), match.end(), f" ? {match[2]} : {match[1]}"


def constant(code):
    for match in re.finditer(r"\b(true|false)\b", code):
        yield match.start(), match.end(), "false" if match[0] == "true" else "true"
    for match in re.finditer(r"\b0\.0f|\b1\.0f|\b2\.0f", code):
        yield match.start(), match.end(), "1.0f" if match[0] == "0.0f" else "0.0f"


def narrow(code):
    """64-bit arithmetic done in 32 bits."""
    for match in re.finditer(r"std::int64_t\{([^{}]+)\}", code):
        yield match.start(), match.end(), match[1] if re.fullmatch(r"[\w.]+", match[1]) else f"({match[1]})"
    for match in re.finditer(r"(?<=const )std::int64_t(?= \w+ = )", code):
        yield match.start(), match.end(), "int"


ALL = (comparison, arithmetic, assignment, off_by_one, condition, dropped, name, operands, constant, narrow)


def code_of(line):
    """The line without its comment; empty where nothing can be mutated."""
    code = re.sub(r"\s*//.*$", "", line)
    if re.match(r"\s*(#|static_assert|using |namespace|template|struct|\})", code) or "unreachable" in code:
        return ""
    return code


def in_string(code, start):
    return code.count('"', 0, start) % 2 == 1
