/** What engines share and nobody outside sees. */
@NullMarked
package io.github.jcuconv.internal;

import org.jspecify.annotations.NullMarked;
