#include "textflag.h"

// func markAVX2(dst *byte, src *byte, n int)
//
// One turn compares 64 bytes with '"' (Y0) and '\\' (Y1) and stores a bit for
// each that equals one of them.
TEXT ·markAVX2(SB), NOSPLIT, $0-24
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX
	MOVL $0x22, AX
	MOVQ AX, X0
	VPBROADCASTB X0, Y0
	MOVL $0x5C, AX
	MOVQ AX, X1
	VPBROADCASTB X1, Y1

turn:
	VMOVDQU (SI), Y2
	VMOVDQU 32(SI), Y3
	VPCMPEQB Y0, Y2, Y4
	VPCMPEQB Y1, Y2, Y2
	VPCMPEQB Y0, Y3, Y5
	VPCMPEQB Y1, Y3, Y3
	VPOR Y4, Y2, Y2
	VPOR Y5, Y3, Y3
	VPMOVMSKB Y2, AX
	VPMOVMSKB Y3, BX
	SHLQ $32, BX
	ORQ BX, AX
	MOVQ AX, (DI)
	ADDQ $64, SI
	ADDQ $8, DI
	DECQ CX
	JNZ turn
	VZEROUPPER
	RET
