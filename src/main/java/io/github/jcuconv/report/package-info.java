/** What a training or an example found, drawn: pictures as PNG, charts as SVG, a page as HTML that needs nothing but itself. */
@NullMarked
package io.github.jcuconv.report;

import org.jspecify.annotations.NullMarked;
