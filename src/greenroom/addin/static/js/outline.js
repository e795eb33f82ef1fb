/**
 * @file Where elements begin and end in HTML that is not to be touched: an outline over offsets, which repairs nothing.
 * As the server makes it (meetings/html_outline.py).
 */

const TOKEN =
  /(?<comment><!--)|<(?<raw>style|script|title|textarea)\b[^<>]*>|<(?=((?<close>\/?)(?<name>[a-z][a-z0-9:._-]*)(?:[^<>"']+|"[^"<]*"|'[^'<]*'|["'])*))\3>/gi;
const ANY_TAG = /<!--[^<>]*-->|<[^<>]*>/g;
const VOID = new Set("area base br col embed hr img input link meta param source track wbr".split(" "));
const FILLING = /&(?:nbsp|#160|#xa0|zwnj|#8203|shy);?|[\s\u200b\u200c\u200d\u2060\ufeff\xad\x1c-\x1f\x85]/gi;
const MOST_TAGS = 50_000;
export const LONGEST_BLANK = 20_000;

/**
 * One element: `text[start:end]`, its content `text[content:contentEnd]`; end is -1 where its end tag is missing.
 * @typedef {{name: string, start: number, content: number, contentEnd: number, end: number, parent: Element_ | null}} Element_
 */
/** A run of whole children of `parent` (null: of the document). @typedef {{start: number, end: number, parent: Element_ | null}} Span */

/** Whether a piece of HTML shows nothing: tags, comments, spaces. @param {string} text */
export function isBlank(text) {
  return text.length <= LONGEST_BLANK && !text.replace(ANY_TAG, "").replace(FILLING, "");
}

/** The elements of an HTML text, as far as its tags say so. */
export class Outline {
  /** @param {string} text */
  constructor(text) {
    this.text = text;
    /** @type {Element_[]} */
    this.elements = [];
    /** @type {number[]} */
    this.strays = [];
    /** Places inside comments and raw elements such as style: [from, to]. @type {[number, number][]} */
    this.hidden = [];
    this.isComplete = false;
    this.#read();
  }

  /**
   * The run of children of the deepest element around both places that holds them; null where that is unsure.
   * @param {number} first @param {number} last @returns {Span | null}
   */
  spanOfChildren(first, last) {
    if (!this.isComplete || this.hidden.some(([from, to]) => first < to && last > from && (first >= from || last <= to))) return null;
    const [one, other] = [this.#around(first), this.#around(last)];
    let depth = 0;
    while (depth < one.length && depth < other.length && one[depth] === other[depth]) depth += 1;
    const bounds = [one[depth], other[depth]];
    if (bounds.some((element) => element && element.end < 0)) return null;
    return { start: bounds[0]?.start ?? first, end: bounds[1]?.end ?? last, parent: one[depth - 1] ?? null };
  }

  /** Whether every element that begins in the span is closed in it, and every tag in it belongs to one. @param {Span} span */
  isWhole({ start, end }) {
    const begun = this.elements.filter((e) => start <= e.start && e.start < end);
    return begun.every((e) => e.end >= 0 && e.end <= end) && !this.strays.some((place) => start <= place && place < end);
  }

  /** Elements around a place, outermost first. @param {number} place @returns {Element_[]} */
  #around(place) {
    /** @type {Element_ | null} */
    let element = null;
    for (const e of this.elements) {
      if (e.content <= place && (e.end < 0 || place <= e.contentEnd) && (!element || e.start > element.start)) element = e;
    }
    const path = [];
    for (; element; element = element.parent) path.unshift(element);
    return path;
  }

  #read() {
    /** @type {Element_[]} */
    const stack = [];
    const lastCommentEnd = this.text.lastIndexOf("-->");
    TOKEN.lastIndex = 0;
    for (let count = 0; count < MOST_TAGS; count += 1) {
      const match = TOKEN.exec(this.text);
      if (!match) {
        this.isComplete = true;
        return;
      }
      const from = TOKEN.lastIndex;
      const groups = match.groups ?? {};
      if (groups.comment) {
        if (from <= lastCommentEnd) this.#hide(from, this.text.indexOf("-->", from) + 3);
      } else if (groups.raw) {
        const closing = new RegExp(`</${groups.raw}\\b[^<>]*>`, "gi");
        closing.lastIndex = from;
        this.#hide(from, closing.test(this.text) ? closing.lastIndex : this.text.length);
      } else {
        this.#tag(groups.name?.toLowerCase() ?? "", Boolean(groups.close), match, stack);
      }
    }
  }

  /** @param {number} from @param {number} to */
  #hide(from, to) {
    this.hidden.push([from, to]);
    TOKEN.lastIndex = to;
  }

  /** @param {string} name @param {boolean} closes @param {RegExpExecArray} match @param {Element_[]} stack */
  #tag(name, closes, match, stack) {
    const end = match.index + match[0].length;
    if (!closes) {
      if (VOID.has(name) || match[0].endsWith("/>")) return;
      const element = { name, start: match.index, content: end, contentEnd: -1, end: -1, parent: stack[stack.length - 1] ?? null };
      this.elements.push(element);
      stack.push(element);
      return;
    }
    if (!stack.slice(-64).some((element) => element.name === name)) {
      this.strays.push(match.index);
      return;
    }
    for (let element = stack.pop(); element; element = stack.pop()) {
      if (element.name !== name) continue;
      element.contentEnd = match.index;
      element.end = end;
      return;
    }
  }
}
