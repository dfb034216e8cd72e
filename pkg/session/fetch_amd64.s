#include "textflag.h"

// func fetch(list []unsafe.Pointer)
TEXT ·fetch(SB), NOSPLIT, $0-24
	MOVQ list_base+0(FP), SI
	MOVQ list_len+8(FP), CX
	LEAQ (SI)(CX*8), DI

next:
	CMPQ SI, DI
	JEQ  done
	MOVQ (SI), AX
	PREFETCHT0 (AX)
	ADDQ $8, SI
	JMP  next

done:
	RET
