/** Networks by name. */
@NullMarked
package io.github.jcuconv.models;

import org.jspecify.annotations.NullMarked;
