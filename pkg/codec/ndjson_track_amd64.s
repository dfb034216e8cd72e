#include "go_asm.h"
#include "textflag.h"

// What white space and JSON's punctuation would be by the lower four bits of a
// byte: see followAVX2.
DATA white<>+0(SB)/8, $0x0000000000000020
DATA white<>+8(SB)/8, $0x00000d00000a0900
GLOBL white<>(SB), RODATA|NOPTR, $16
DATA punctuation<>+0(SB)/8, $0x0000000000000000
DATA punctuation<>+8(SB)/8, $0x00007d2c7b3a0000
GLOBL punctuation<>(SB), RODATA|NOPTR, $16

// func followAVX2(t *track, keys *int32, data *byte, start, end int) bool
TEXT ·followAVX2(SB), NOSPLIT, $0-41
	MOVQ t+0(FP), CX
	MOVQ keys+8(FP), DI
	MOVQ data+16(FP), R8
	MOVQ start+24(FP), R9       // where the last step ended
	MOVQ end+32(FP), R10
	MOVQ track_steps+0(CX), SI
	LEAQ track_at(CX), R11
	MOVQ track_steps+8(CX), CX
	VMOVDQU white<>(SB), X1
	VMOVDQU punctuation<>(SB), X2
	MOVL $0x20, AX
	MOVQ AX, X3
	VPBROADCASTB X3, X3

next:
	MOVL step_key(SI), AX
	MOVL (DI)(AX*4), AX
	DECQ CX
	CMOVLEQ R10, AX             // the last one
	SUBL step_colon(SI), AX
	CMPL AX, R9
	JLT no
	VMOVDQU (R8)(AX*1), Y0
	VPXOR step_text(SI), Y0, Y0
	VPTEST step_mask(SI), Y0
	JNE no
	CMPL step_scalar(SI), $0
	JNE scalar

found:
	MOVL AX, (R11)
	ADDQ $4, R11
	MOVL step_len(SI), R9
	ADDL AX, R9
	ADDQ $step__size, SI
	TESTQ CX, CX
	JNE next
	VZEROUPPER
	MOVB $1, ret+40(FP)
	RET

scalar:
	// One to 16 bytes, none of which is what a table says of its lower four bits:
	// white space, or punctuation, of which '[' and ']' become '{' and '}' with the
	// bit of 0x20 set.
	MOVL AX, BX
	SUBL R9, BX
	LEAL -1(BX), DX
	CMPL DX, $15
	JHI no
	VMOVDQU (R8)(R9*1), X0
	VPSHUFB X0, X1, X4
	VPCMPEQB X0, X4, X4
	VPSHUFB X0, X2, X5
	VPOR X0, X3, X0
	VPCMPEQB X0, X5, X5
	VPOR X4, X5, X4
	VPMOVMSKB X4, DX
	BZHIL BX, DX, DX
	JEQ found

no:
	VZEROUPPER
	MOVB $0, ret+40(FP)
	RET
