/**
 * The engine {@code cudnn}: NVIDIA's cuDNN through JCuda, the reference that our kernels are compared with. Memory, streams and events are those
 * of the engine {@code cuda}; cuDNN computes on them, through its legacy interface, which is what JCudnn has.
 *
 * <p>Activations are NCHW or NHWC, all of one operation alike. What cuDNN cannot do is refused with the reason; nothing is copied or converted to
 * make it fit, since then the time of something else would be measured.
 */
@NullMarked
package io.github.jcuconv.cudnn;

import org.jspecify.annotations.NullMarked;
