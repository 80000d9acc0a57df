package io.github.jcuconv.cudnn;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import jcuda.Pointer;

/** An address of device memory as JCuda wants it; and factors, which cuDNN reads from host memory. */
final class DevicePointer extends Pointer {
    static final Pointer ONE = factor(1);
    static final Pointer ZERO = factor(0);

    /** @param address 0 for none */
    DevicePointer(long address) {
        super(address);
    }

    /** A factor that lies in memory which no garbage collection moves. */
    static Pointer factor(float value) {
        ByteBuffer memory = ByteBuffer.allocateDirect(Float.BYTES).order(ByteOrder.nativeOrder());
        return Pointer.to(memory.putFloat(0, value));
    }
}
